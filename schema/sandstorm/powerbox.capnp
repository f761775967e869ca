@0xf6c200ab14cd53e4;
# How apps describe the capabilities that they ask for or offer.

using Util = import "util.capnp";

struct PowerboxDescriptor @0xedcf0fa3bfc71c58 {
  # Describes a capability. A query is a list of descriptors of which one must
  # match; all tags of a descriptor must match.

  tags @0 :List(Tag);

  struct Tag @0xbe3d16a8df03c418 {
    id @0 :UInt64;
    # By convention the id of an interface that the capability implements, or
    # of a struct.

    value @1 :AnyPointer;
    # What `id` says it is. Null matches every value.
  }

  quality @1 :MatchQuality;

  enum MatchQuality @0xbb1afa45d25ce8de {
    acceptable @0;
    preferred @1;
    unacceptable @2;
  }
}

struct PowerboxDisplayInfo @0xa553a209bee32bec {
  # How to show a capability to people.

  title @0 :Util.LocalizedText;
  verbPhrase @1 :Util.LocalizedText;
  # What the holder can do, for example "can post messages".

  description @2 :Util.LocalizedText;
}
