@0xbb368e3a12c66692;
# How a packager talks to an app index: bodies of two HTTP requests.
#
# POST /status takes a packed SubmissionRequest, followed by the 64 bytes of an
# Ed25519 signature of it by the app's current key. The reply is a NUL byte and a
# packed SubmissionStatus, or the text of an error. POST /upload takes a package
# file and replies with nothing, or the text of an error.

using Package = import "package.capnp";

enum SubmissionState @0xe3ea7b807c4c34c1 {
  # What the author wants.

  ignore @0;
  # Neither reviewed nor listed.

  review @1;
  # Reviewed, but not listed even if it is approved.

  publish @2;
  # Listed as soon as it is approved.
}

struct SubmissionRequest @0xeb3312cf8f466edc {
  packageId @0 :Package.PackageId;

  union {
    checkStatus @1 :Void;
    setState :group {
      newState @2 :SubmissionState;
      sequenceNumber @4 :UInt64;
      # Grows with every request, so that none can be sent again by somebody
      # else: the Unix time.
    }
  }

  appIndexWebkeyHash @3 :Data;
  # BLAKE2b of "URL#TOKEN", at least 16 bytes, so that an index cannot pass the
  # request on to another one.
}

struct SubmissionStatus @0x9c3bec0d7de33b66 {
  requestState @0 :SubmissionState;
  # The state that was set last.

  union {
    pending @1 :Void;
    needsUpdate @2 :Text;
    # What the reviewers found; final for this package.

    approved @3 :Text;
    # Where the app is listed, or will be.

    notUploaded @5 :Void;
  }

  publishDate @4 :Int64;
  # Unix time of the first listing; zero: never.

  nextSequenceNumber @6 :UInt64;
  # The lowest one that the next request may have.
}
