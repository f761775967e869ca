@0xb7c3d0e1f2a4b99a;
# Enumerants may be called like keywords and may be in any order.
enum Mixed { third @2; first @0; second @1; }
enum Words { void @0; true @1; inf @2; struct @3; using @4; union @5; }

struct Uses {
  mixed @0 :Mixed;
  words @1 :List(Words);
  preset @2 :Mixed = second;
  nested @3 :Nested;

  enum Nested { here @0; there @1; }
}

const unset :Uses = ();
const set :Uses = (mixed = third, words = [void, true, inf, struct, using, union], preset = first, nested = there);
const zeros :Uses = (mixed = first, preset = second, nested = here);
