@0xb7c3d0e1f2a45ccd;
struct Texts {
  a @0 :Text;
  b @1 :Text;
  c @2 :List(Text);
}

const plain :Texts = (a = "Hello, world", b = "");
const escapes :Texts = (a = "\a\b\f\n\r\t\v\\\"\'\?", b = "\x41\x7e\101\7\0173");
const adjacent :Texts = (a = "one " "two "
    "three " # and a comment between
    "four", c = ["a" "b", "c"]);
const unicode :Texts = (a = "é ✓ 🏖", b = "\xc3\xa9");
const nul :Texts = (a = "a\x00b\0c");
const punctuation :Texts = (a = "// # ; ( [ { } ] ) , 'quoted' `tick` $@!");
const markup :Texts = (c = ["</script>", "a & b", "\x1f\x7f", "tab	in it"]);
