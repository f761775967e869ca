package capnplang

import (
	"crypto/md5"
	"encoding/binary"
)

// typeID is the declared id, or else the one that the language derives from the
// parent's id and the name: the first eight bytes of an MD5 with the top bit
// set.
func (d *decl) typeID() uint64 {
	if d.idPos != 0 || d.parent == nil {
		return d.id
	}
	b := binary.LittleEndian.AppendUint64(nil, d.parent.typeID())
	sum := md5.Sum(append(b, d.name...))
	return binary.BigEndian.Uint64(sum[:]) | 1<<63
}
