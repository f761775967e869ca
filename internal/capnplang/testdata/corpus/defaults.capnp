@0xb7c3d0e1f2a51667;
# Values are stored combined with the default. A pointer's default is only what
# readers see if nothing is set.

enum Level { low @0; high @1; }
struct Inner { a @0 :Int8 = -1; t @1 :Text = "inner"; }

struct Defaults {
  b @0 :Bool = true;
  i8 @1 :Int8 = -5;
  u64 @2 :UInt64 = 0xdeadbeefcafebabe;
  f32 @3 :Float32 = 1.5;
  f64 @4 :Float64 = -inf;
  e @5 :Level = high;
  t @6 :Text = "text";
  d @7 :Data = 0x"0102";
  l @8 :List(Int16) = [1, 2];
  s @9 :Inner = (a = 7);
  c @10 :UInt16 = .constant;
  v @11 :Void = void;
  own @12 :UInt16 = Defaults.inside;
  ll @13 :List(Inner) = [(), (t = "x")];

  const inside :UInt16 = 513;
}

const constant :UInt16 = 4097;

const unset :Defaults = ();
const same :Defaults = (b = true, i8 = -5, u64 = 0xdeadbeefcafebabe, f32 = 1.5, f64 = -inf, e = high, t = "text",
    c = 4097, own = 513);
const zero :Defaults = (b = false, i8 = 0, u64 = 0, f32 = 0, f64 = 0, e = low, t = "", d = "", l = [], s = (),
    c = 0, v = void, own = 0, ll = []);
const other :Defaults = (i8 = 127, u64 = 1, f32 = -1.5, f64 = nan, c = 1, s = (a = -1, t = ""));
