@0xb7c3d0e1f2a43dde;
struct Floats {
  a @0 :Float32;
  b @1 :Float64;
  c @2 :List(Float32);
  d @3 :List(Float64);
}

const plain :Floats = (a = 0.1, b = 0.1);
const special :Floats = (a = inf, b = nan, c = [inf, -inf, nan], d = [inf, -inf, nan]);
const forms :Floats = (d = [1.5, 1., 1e3, 1E3, 1e+3, 1.5e-3, 12, 0x10, -7, 0.5, -0.5, 00.5]);
const large :Floats = (a = 3.4e38, b = 1.7976931348623157e308, d = [1e21, 1e20, 123456789012345678, 16777217]);
const small :Floats = (a = 1e-45, b = 5e-324, d = [1e-7, 1e-5, 2.2250738585072014e-308]);
const zero :Floats = (a = 0, b = -0.0);
const converted :Floats = (a = .whole, b = .half, d = [.whole, .half, .negative]);

const whole :Int16 = 12;
const negative :Int64 = -9007199254740993;
const half :Float32 = 0.3;
