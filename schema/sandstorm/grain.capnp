@0xc8d91463cfc4fb4a;
# What an app implements (MainView, UiView, UiSession) and what the platform
# gives to it (SandstormApi, SessionContext).

using Util = import "util.capnp";
using Powerbox = import "powerbox.capnp";
using Identity = import "identity.capnp";
using Activity = import "activity.capnp";

using PermissionSet = List(Bool);
# By position in the app's list of permissions; missing ones are false.

interface SandstormApi @0xd2654fcf2a7002cb (AppObjectId) {
  # The platform, as one grain sees it.

  deprecatedPublish @0 ();
  deprecatedRegisterAction @1 ();

  shareCap @2 (cap :Capability, displayInfo :Powerbox.PowerboxDisplayInfo)
           -> (sharedCap :Capability, link :SharingLink);
  shareView @3 (view :UiView) -> (sharedView :UiView, link :ViewSharingLink);

  save @8 (cap :Capability, label :Util.LocalizedText) -> (token :Data);
  # Makes a token from which this grain can get `cap` again after a restart.

  restore @4 (token :Data) -> (cap :Capability);
  drop @5 (token :Data);
  deleted @6 (ref :AnyPointer);

  stayAwake @7 (displayInfo :Activity.NotificationDisplayInfo,
                notification :Activity.OngoingNotification) -> (handle :Util.Handle);
  # Keeps the grain running without a visitor until `handle` is dropped.

  backgroundActivity @9 (event :Activity.ActivityEvent);
  getIdentityId @10 (identity :Identity.Identity) -> (id :Data);
  schedule @11 ScheduledJob -> ();
}

struct ScheduledJob @0xa34f0cfe24c69d74 {
  # Something that the platform calls later.

  name @0 :Util.LocalizedText;
  callback @1 :Callback;
  # Must be persistent.

  schedule :union {
    oneShot :group {
      when @2 :Util.DateInNs;
      slack @3 :Util.DurationInNs;
      # The call may come this much later than `when`.
    }
    periodic @4 :SchedulingPeriod;
  }

  interface Callback @0xab619ad5a8fb7e11 {
    run @0 () -> (cancelFutureRuns :Bool);
  }
}

enum SchedulingPeriod @0x8478a37e9456409d {
  hourly @0;
  daily @1;
  monthly @2;
  annually @3;
  weekly @4;
}

const minimumSchedulingSlack @0xeecac1be25f73248 :Util.DurationInNs = 300000000000;
# Five minutes.

interface UiView @0xdbb4d798ea67e2e7 {
  # A grain, as somebody who may open it sees it.

  struct PowerboxTag @0x982790c08b1958ec {
    title @0 :Text;
  }

  struct ViewInfo @0xbc5e354741a8e665 {
    # What the platform must know to share the grain.

    permissions @0 :List(PermissionDef);
    # Position is identity: entries may be added at the end or become
    # obsolete, never move.

    roles @1 :List(RoleDef);
    deniedPermissions @2 :PermissionSet;
    matchRequests @3 :List(Powerbox.PowerboxDescriptor);
    matchOffers @4 :List(Powerbox.PowerboxDescriptor);
    appTitle @5 :Util.LocalizedText;
    grainIcon @6 :Util.StaticAsset;
    eventTypes @7 :List(Activity.ActivityTypeDef);
  }

  getViewInfo @0 () -> ViewInfo;

  newSession @1 (userInfo :Identity.UserInfo, context :SessionContext,
                 sessionType :UInt64, sessionParams :AnyPointer, tabId :Data)
             -> (session :UiSession);
  # Opens the grain for one person. `sessionType` is the id of the interface
  # that the session has to implement; it defines `sessionParams`.

  newRequestSession @2 (userInfo :Identity.UserInfo, context :SessionContext,
                        sessionType :UInt64, sessionParams :AnyPointer,
                        requestInfo :List(Powerbox.PowerboxDescriptor), tabId :Data)
                    -> (session :UiSession);
  newOfferSession @3 (userInfo :Identity.UserInfo, context :SessionContext,
                      sessionType :UInt64, sessionParams :AnyPointer,
                      offer :Capability, descriptor :Powerbox.PowerboxDescriptor,
                      tabId :Data)
                  -> (session :UiSession);
}

interface UiSession @0xf63241ee58b5166f {
  # One person's opening of a grain; the kinds of session extend it.
}

interface SessionContext @0xbf3e401d5a63f336 {
  # What the platform does for an app on behalf of a session's person.

  getSharedPermissions @0 () -> (var :Util.Assignable(PermissionSet).Getter);
  tieToUser @1 (cap :Capability, requiredPermissions :PermissionSet,
                displayInfo :Powerbox.PowerboxDisplayInfo)
            -> (tiedCap :Capability);
  offer @2 (cap :Capability, requiredPermissions :PermissionSet,
            descriptor :Powerbox.PowerboxDescriptor,
            displayInfo :Powerbox.PowerboxDisplayInfo);
  request @3 (query :List(Powerbox.PowerboxDescriptor), requiredPermissions :PermissionSet)
          -> (cap :Capability, descriptor :Powerbox.PowerboxDescriptor);
  claimRequest @7 (requestToken :Text, requiredPermissions :PermissionSet)
               -> (cap :Capability);
  fulfillRequest @4 (cap :Capability, requiredPermissions :PermissionSet,
                     descriptor :Powerbox.PowerboxDescriptor,
                     displayInfo :Powerbox.PowerboxDisplayInfo);
  close @5 ();
  openView @6 (view :UiView, path :Text, newTab :Bool);
  activity @8 (event :Activity.ActivityEvent);
}

struct PermissionDef @0xf144a5e58889dafb {
  # Something that a person may or may not do in a grain.

  name @3 :Text;
  # For programs; the HTTP bridge passes names to the app.

  title @0 :Util.LocalizedText;
  description @1 :Util.LocalizedText;
  obsolete @2 :Bool;
}

struct RoleDef @0xcb3f7064eae4dc5a {
  # A set of permissions with a name, to be picked when sharing.

  title @0 :Util.LocalizedText;
  verbPhrase @1 :Util.LocalizedText;
  description @2 :Util.LocalizedText;
  permissions @3 :PermissionSet;
  obsolete @4 :Bool;
  default @5 :Bool;
}

interface SharingLink @0xc05520c9b0994ad3 {
  getPetname @0 () -> (name :Util.Assignable(Util.LocalizedText));
}

interface ViewSharingLink @0xa4f82f764dc3fee8 extends(SharingLink) {
  getRoleAssignment @0 () -> (var :Util.Assignable(RoleAssignment));

  struct RoleAssignment @0xf020f2be35e8e2b5 {
    union {
      none @0 :Void;
      allAccess @1 :Void;
      roleId @2 :UInt16;
      # Index into the list of roles.
    }
    addPermissions @3 :PermissionSet;
    removePermissions @4 :PermissionSet;
  }
}

interface AppPersistent @0xaffa789add8747b8 (AppObjectId) {
  # Implemented by an app's capabilities that can be saved.

  save @0 () -> (objectId :AppObjectId, label :Util.LocalizedText);
}

interface MainView @0xc277e9822ae2c8fc (AppObjectId) extends(UiView) {
  # What an app exports.

  restore @0 (objectId :AppObjectId) -> (cap :Capability);
  drop @1 (objectId :AppObjectId);
}
