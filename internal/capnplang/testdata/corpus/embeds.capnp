@0xb7c3d0e1f2a5eef0;
# Files as Text or Data.

struct Content { text @0 :Text; data @1 :Data; list @2 :List(Data); }

const content :Content = (text = embed "files/note.txt", data = embed "files/bytes.bin",
    list = [embed "files/note.txt", embed "./files/../files/bytes.bin", embed "files/empty"]);
const rooted :Content = (text = embed "/lib/rooted.txt");
