@0xb7c3d0e1f2a6c779;
# Newer versions of the language have texts that go to the end of the line.

struct S { t @0 :Text; d @1 :Data; }

const ticks :S = (t =
    `first line with "quotes" and \ and # no comment
    `  second
    `
  , d = "a" `b
  );
