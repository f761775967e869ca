@0x8ef99297a43a5e34;
# What schemas say about their form as JSON. It does not change values.

annotation name @0xfa5b1fd61c2e7c3d (field, enumerant, method, group, union) :Text;
annotation flatten @0x82d3e852af0336bf (field, group, union) :FlattenOptions;
annotation discriminator @0xcfa794e8d19a0162 (struct, union) :DiscriminatorOptions;
annotation base64 @0xd7d879450a253e4b (field) :Void;
annotation hex @0xf061e22f0ae5c7b5 (field) :Void;
annotation notification @0xa0a054dea32fd98c (method) :Void;

struct FlattenOptions {
  prefix @0 :Text = "";
}

struct DiscriminatorOptions {
  name @0 :Text;
  valueName @1 :Text;
}
