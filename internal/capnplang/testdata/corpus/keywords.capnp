@0xb7c3d0e1f2a64bbd;
# Members may be called like keywords.

struct Words {
  struct @0 :Int8;
  union @1 :Int8;
  const @2 :Int8;
  using @3 :Text;
  import @4 :Text;
  embed @5 :Text;
  void @6 :Int8;
  true @7 :Bool;
  inf @8 :Float64;
  group :group { enum @9 :Int8; annotation @10 :Int8; }
  interface :union { extends @11 :Int8; stream @12 :Int8; }
}

const value :Words = (struct = 1, union = 2, const = 3, using = "u", import = "i", embed = "e", void = 6, true = false,
    inf = inf, group = (enum = 9, annotation = 10), interface = (stream = 12));
