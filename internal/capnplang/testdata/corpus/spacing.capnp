@0xb7c3d0e1f2a66aac;
# Odd but legal spacing, comments anywhere, and no newline at the end.
struct   S{a@0:Int8;b @ 1 : List ( Text ) = [ "x" ] ;g:group{c@2:Int8=3;}}#tight
const
  x
  :
  S # type
  = # value
  (
    a = 1 , # one
    # nothing
    b = [ # list
      "y"
      ,
      "z" , # end
    ] ,
  )
  ;
const y:S=(a= -1,g=(c=3));
const z :S = (); # end