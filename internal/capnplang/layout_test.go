package capnplang

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"capnproto.org/go/capnp/v3"
	cschema "capnproto.org/go/capnp/v3/std/capnp/schema"

	"github.com/sandstorm-go/sandstorm/schema"
)

// toolNodes has the reference tool lay out the schemas in a directory.
func toolNodes(t *testing.T, dir string, names ...string) map[uint64]cschema.Node {
	t.Helper()
	builtin, err := filepath.Abs("builtin")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("capnp", append([]string{"compile", "-I" + builtin, "-o-"}, names...)...)
	cmd.Dir = dir
	// The tool refuses layouts that its versions before 0.6 got wrong, unless told
	// to go on.
	cmd.Env = append(cmd.Environ(), "CAPNP_IGNORE_ISSUE_344=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("capnp compile: %v\n%s", err, stderr.Bytes())
	}
	msg, err := capnp.Unmarshal(out)
	if err != nil {
		t.Fatal(err)
	}
	msg.ResetReadLimit(1 << 40)
	request, err := cschema.ReadRootCodeGeneratorRequest(msg)
	if err != nil {
		t.Fatal(err)
	}
	list, err := request.Nodes()
	if err != nil {
		t.Fatal(err)
	}
	nodes := map[uint64]cschema.Node{}
	for i := range list.Len() {
		nodes[list.At(i).Id()] = list.At(i)
	}
	return nodes
}

// sameLayout compares one struct or group with what the tool says of it.
func sameLayout(t *testing.T, nodes map[uint64]cschema.Node, id uint64, info *structInfo) {
	t.Helper()
	node, ok := nodes[id]
	if !ok {
		t.Fatalf("%s: the tool knows no type %#x", info.decl.path(), id)
	}
	st := node.StructNode()
	name := info.decl.path()
	if st.DataWordCount() != uint16(info.size.words) || st.PointerCount() != uint16(info.size.pointers) {
		t.Errorf("%s: %d words and %d pointers, the tool has %d and %d", name, info.size.words, info.size.pointers, st.DataWordCount(), st.PointerCount())
	}
	if int(st.DiscriminantCount()) != info.choices {
		t.Errorf("%s: %d alternatives, the tool has %d", name, info.choices, st.DiscriminantCount())
	} else if info.union != nil && st.DiscriminantOffset() != info.union.tag {
		t.Errorf("%s: discriminant at %d, the tool has %d", name, info.union.tag, st.DiscriminantOffset())
	}
	fields, err := st.Fields()
	if err != nil {
		t.Fatal(err)
	}
	if fields.Len() != len(info.fields) {
		t.Fatalf("%s: %d fields, the tool has %d", name, len(info.fields), fields.Len())
	}
	for i, f := range info.fields {
		want := fields.At(i)
		wantName, err := want.Name()
		if err != nil {
			t.Fatal(err)
		}
		if f.name != wantName || uint16(f.choice) != want.DiscriminantValue() {
			t.Errorf("%s: field %d is %s, alternative %d; the tool has %s, %d", name, i, f.name, f.choice, wantName, want.DiscriminantValue())
			continue
		}
		switch want.Which() {
		case cschema.Field_Which_slot:
			if f.typ.group != nil || f.offset != want.Slot().Offset() {
				t.Errorf("%s.%s: at %d, the tool has %d", name, f.name, f.offset, want.Slot().Offset())
			}
		case cschema.Field_Which_group:
			if f.typ.group == nil {
				t.Errorf("%s.%s is no group", name, f.name)
				continue
			}
			sameLayout(t, nodes, want.Group().TypeId(), f.typ.group)
		}
	}
}

// eachStruct calls do for all structs in a file.
func eachStruct(d *decl, do func(*decl)) {
	for _, m := range d.members {
		if m.kind == declStruct {
			do(m)
		}
		eachStruct(m, do)
	}
}

func TestLayoutOfContract(t *testing.T) {
	dir, err := filepath.Abs("../../schema/sandstorm")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(schema.Files, "sandstorm/*.capnp")
	if err != nil || len(names) < 9 {
		t.Fatalf("schemas: %v, %v", names, err)
	}
	for i, n := range names {
		names[i] = filepath.Base(n)
	}
	nodes := toolNodes(t, dir, names...)
	seen := 0
	for _, name := range names {
		f, err := Load(filepath.Join(dir, name), Options{})
		if err != nil {
			t.Fatal(err)
		}
		eachStruct(f.root, func(d *decl) {
			info, err := f.loader.structOf(d)
			if err != nil {
				t.Fatal(err)
			}
			sameLayout(t, nodes, d.typeID(), info)
			seen++
		})
	}
	if seen < 40 {
		t.Errorf("only %d structs seen", seen)
	}
}

// TestLayoutRandom compares structs whose members are drawn at random: the rules
// for unions within unions have more cases than one would think of.
func TestLayoutRandom(t *testing.T) {
	const seeds, structs = 8, 60
	for seed := range uint64(seeds) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		var text strings.Builder
		text.WriteString("@0xd1a9a5e5b3c10001;\n")
		for i := range structs {
			s := structGenerator{rnd: rnd, text: &text}
			s.generate(fmt.Sprintf("S%d", i))
		}
		dir := t.TempDir()
		path := filepath.Join(dir, "random.capnp")
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		nodes := toolNodes(t, dir, "random.capnp")
		f, err := Load(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		eachStruct(f.root, func(d *decl) {
			info, err := f.loader.structOf(d)
			if err != nil {
				t.Fatal(err)
			}
			sameLayout(t, nodes, d.typeID(), info)
		})
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, text.String())
		}
	}
}

// structGenerator writes one struct. Ordinals are dealt in random order.
type structGenerator struct {
	rnd      *rand.Rand
	text     *strings.Builder
	ordinals []int
	names    int
}

func (g *structGenerator) generate(name string) {
	// The shape is drawn first, to know how many numbers there are.
	shape := g.members(3+g.rnd.IntN(12), 0, false)
	g.ordinals = g.rnd.Perm(count1(shape))
	fmt.Fprintf(g.text, "struct %s {\n", name)
	g.write(shape)
	g.text.WriteString("}\n")
}

// shapeNode is a field (no members), a group or a union.
type shapeNode struct {
	kind    string
	members []shapeNode
}

func (g *structGenerator) members(n, depth int, inUnion bool) []shapeNode {
	var all []shapeNode
	unnamed := false
	for range n {
		switch k := g.rnd.IntN(10); {
		case k == 0 && depth < 4:
			all = append(all, shapeNode{"group", g.members(1+g.rnd.IntN(4), depth+1, false)})
		case k == 1 && depth < 4:
			all = append(all, shapeNode{"union", g.members(2+g.rnd.IntN(4), depth+1, true)})
		case k == 2 && depth < 4 && !inUnion && !unnamed:
			unnamed = true
			all = append(all, shapeNode{"unnamed", g.members(2+g.rnd.IntN(4), depth+1, true)})
		default:
			types := []string{"Void", "Bool", "Bool", "Int8", "Int8", "UInt16", "Int32", "Float64", "Text", "AnyPointer"}
			all = append(all, shapeNode{kind: types[g.rnd.IntN(len(types))]})
		}
	}
	return all
}

func count1(shape []shapeNode) int {
	n := 0
	for _, s := range shape {
		if s.members == nil {
			n++
		}
		n += count1(s.members)
	}
	return n
}

func (g *structGenerator) write(shape []shapeNode) {
	for _, s := range shape {
		g.names++
		switch {
		case s.members == nil:
			fmt.Fprintf(g.text, "f%d @%d :%s;\n", g.names, g.ordinals[0], s.kind)
			g.ordinals = g.ordinals[1:]
			continue
		case s.kind == "unnamed":
			g.text.WriteString("union {\n")
		default:
			fmt.Fprintf(g.text, "f%d :%s {\n", g.names, s.kind)
		}
		g.write(s.members)
		g.text.WriteString("}\n")
	}
}
