@0xb7c3d0e1f2a6e668;
# What the tool of today refuses although the meaning is clear.

enum E { a @0; b @1; }
struct S { e @0 :E; any @1 :AnyPointer; d @2 :Data; loop @3 :Loop; }
struct Loop { union { again @0 :Loop; end @1 :Void; } }

const chosen :E = b;
const word :Text = "word";
const enumConstant :S = (e = .chosen);
const textInAny :S = (any = .word);
const noBytes :S = (d = 0x"");
const loop :S = (loop = ());
const number :Float32 = 0.1;
const list :List(Text) = ["a"];
