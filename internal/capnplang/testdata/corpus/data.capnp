@0xb7c3d0e1f2a47bbc;
struct Bytes {
  a @0 :Data;
  b @1 :List(Data);
}

const hex :Bytes = (a = 0x"00 ff 10Ab");
const tight :Bytes = (a = 0x"0123456789abcdefABCDEF00");
const lines :Bytes = (a = 0x"
    01 02 03
    04 05 06
");
const fromText :Bytes = (a = "text\0\xff", b = ["", "x", 0x"00"]);
const none :Bytes = (a = "");
