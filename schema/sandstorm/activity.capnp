@0xa4e001d4cbcf33fa;
# What happens in a grain, for the grain list and for notifications.

using Util = import "util.capnp";
using Identity = import "identity.capnp";

struct ActivityEvent @0xa7c0b6eaa98c6c4b {
  # Something that somebody did.

  path @0 :Text;
  # Where in the grain, to be opened from a notification.

  thread @4 :ThreadInfo;

  struct ThreadInfo @0xf3902b5a86ffba44 {
    path @0 :Text;
    title @1 :Util.LocalizedText;
  }

  notification @1 :NotificationDisplayInfo;
  type @2 :UInt16;
  # Index into the app's list of event types.

  users @3 :List(User);

  struct User @0xbb4d119bbcd89677 {
    identity @0 :Identity.Identity;
    mentioned @1 :Bool;
    canView @2 :Bool;
    subscribed @3 :Bool;
  }
}

struct ActivityTypeDef @0xe638de0ad7c89a2b {
  # A kind of event that an app reports. Its position in the list is its identity.

  name @0 :Text;
  verbPhrase @1 :Util.LocalizedText;
  # Follows a person's name, for example "commented".

  description @2 :Util.LocalizedText;

  requiredPermission :union {
    # Who may see such events.

    everyone @3 :Void;
    permissionIndex @4 :UInt16;
    explicitList @5 :Void;
    # Only users of the event whose `canView` is set.
  }

  obsolete @6 :Bool;
  notifySubscribers @7 :Bool;
  autoSubscribeToThread @8 :Bool;
  autoSubscribeToGrain @9 :Bool;
  suppressUnread @10 :Bool;
}

struct NotificationDisplayInfo @0xd3b9f2ca42d4f783 {
  caption @0 :Util.LocalizedText;
}

interface NotificationTarget @0xf0f87337d73020f0 {
  # Where notifications go.

  addOngoing @0 (displayInfo :NotificationDisplayInfo, notification :OngoingNotification)
             -> (handle :Util.Handle);
  # Shows a notification until `handle` is dropped or the person ends it.
}

interface OngoingNotification @0xfe851ddbb88940cd {
  cancel @0 ();
  # The person ended what the notification is about.
}
