@0x86c366a91393f3f8;
# What a method gives whose results are written `stream`.

struct StreamResult @0x995f9a3377c0b16e {}
