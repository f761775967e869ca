@0xb7c3d0e1f2a53556;
# Constants in any order, inside of types, and through paths.

struct Holder {
  n @0 :Int32;
  text @1 :Text;
  next @2 :Holder;

  const own :Int32 = 42;
  const text1 :Text = Outer.Middle.deepest;
  const holder :Holder = (n = Holder.own, text = Holder.text1);

  interface Face {
    const inFace :Int32 = 43;
  }
}

const first :Holder = (n = .last, next = .second);
const second :Holder = (n = Holder.own, text = Holder.text1, next = Holder.holder);
const third :Holder = (n = .Holder.Face.inFace, next = (next = (next = .first)));
const brackets :Holder = ((n = (.last), text = (("in" " brackets"))));
const same :Holder = .first;
const last :Int32 = 7;

struct Outer {
  struct Middle { const deepest :Text = "deep"; }
}
