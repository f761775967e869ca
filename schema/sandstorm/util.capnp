@0xecd50d792c3d9992;
# Small types that every other interface between the platform and an app uses.

using DateInNs = Int64;
# A point in time: nanoseconds since 1970-01-01 00:00 UTC.

using DurationInNs = UInt64;
# A length of time in nanoseconds.

struct KeyValue @0x94a081e4abb13424 {
  # One pair, for example an environment variable or a cookie.

  key @0 :Text;
  value @1 :Text;
}

struct LocalizedText @0x8b5db772377be249 {
  # A text for people, in one or more languages.

  defaultText @0 :Text;
  # What to show if no localization fits.

  localizations @1 :List(Localization);

  struct Localization @0xa4f5ae06dd1b7791 {
    locale @0 :Text;
    # BCP 47 language tag.

    text @1 :Text;
  }
}

interface Handle @0x98f424ac606042e0 {
  # Keeps something going for as long as it is held; dropping it ends that.

  ping @0 ();
  # Tells whether the object is still there: any error except `disconnected`
  # means yes.
}

interface ByteStream @0xcd57387729cfe35f {
  # Takes bytes in order. A stream dropped before `done` was truncated.

  write @0 (data :Data) -> stream;
  done @1 ();
  expectSize @2 (size :UInt64);
  # Announces how many bytes are still to come.
}

interface Blob @0xe53527a75d90198f {
  # Bytes that never change.

  getSize @0 () -> (size :UInt64);
  writeTo @1 (stream :ByteStream, startAtOffset :UInt64 = 0) -> (handle :Handle);
  # Copies the bytes to `stream` until `handle` is dropped.

  getSlice @2 (offset :UInt64, size :UInt32) -> (data :Data);
}

interface Assignable @0xeaf255b498229199 (T) {
  # A variable that can be read, watched and written.

  get @0 () -> (value :T, setter :Setter);
  asGetter @1 () -> (getter :Getter);
  asSetter @2 () -> (setter :Setter);

  interface Getter @0x80f2f65360d64224 {
    get @0 () -> (value :T);
    subscribe @1 (setter :Setter) -> (handle :Handle);
    # Sends the value now and after each change to `setter`.
  }

  interface Setter @0xd5256a3f93589d2f {
    set @0 (value :T);
  }
}

interface StaticAsset @0xfabb5e621fa9a23f {
  # A public file that the platform serves.

  enum Protocol @0x9714437546d80c39 {
    # Closed on purpose: an asset's address can never be `javascript:`.

    https @0;
    http @1;
  }

  getUrl @0 () -> (protocol :Protocol, hostPath :Text);
  # The address is `protocol://hostPath`.
}
