@0xb7c3d0e1f2a49aab;
enum Color { red @0; green @1; blue @2; }

struct Point { x @0 :Int32; y @1 :Int32; label @2 :Text; }
struct Empty {}

struct Lists {
  voids @0 :List(Void);
  bools @1 :List(Bool);
  bytes @2 :List(UInt8);
  shorts @3 :List(Int16);
  longs @4 :List(Int64);
  colors @5 :List(Color);
  texts @6 :List(Text);
  points @7 :List(Point);
  nested @8 :List(List(List(Int8)));
  empties @9 :List(Empty);
  words @10 :List(UInt32);
}

const all :Lists = (
  voids = [void, void, void],
  bools = [true, false, true, true, false, false, true, false, true],
  bytes = [1, 2, 3],
  shorts = [-1, 0, 1],
  longs = [-1, 9223372036854775807],
  colors = [blue, red, green],
  texts = ["a", "", "ccc"],
  points = [(x = 1), (), (y = 2, label = "two")],
  nested = [[[1, 2], []], [], [[3]]],
  empties = [(), ()],
  words = [0xffffffff],
);
const empty :Lists = (voids = [], bools = [], bytes = [], texts = [], points = [], nested = []);
const trailing :Lists = (bytes = [1, 2, ], texts = ["x",],);
const shared :Lists = (points = .points, texts = [.word, .word]);

const points :List(Point) = [.origin, (x = 5), .origin];
const origin :Point = (label = "origin");
const word :Text = "word";
