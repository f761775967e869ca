// Package pkgdef reads package definitions (packages.md §5): it evaluates the
// constant in a sandstorm-pkgdef.capnp, checks it, and turns its source map and
// list of files into the tree that is packed or, in development, shown to
// grains.
//
// A definition is the packager's own; the files that it names may still be odd
// in any way. Every error names what to mend.
package pkgdef

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/capnplang"
	"github.com/sandstorm-go/sandstorm/internal/spk"
	"github.com/sandstorm-go/sandstorm/schema"
)

// Default is the definition that is used if none is named: FILE:NAME.
const Default = "sandstorm-pkgdef.capnp:pkgdef"

// Definition is a package definition that makes sense.
type Definition struct {
	File string          // path of the .capnp file
	ID   sandstorm.AppID // as written, whatever key signs for it now

	Manifest     []byte              // framed: becomes sandstorm-manifest
	Parsed       *sandstorm.Manifest // the same, by the server's rules
	BridgeConfig []byte              // framed: becomes sandstorm-http-bridge-config; empty where the definition has none
	WantsBridge  bool                // the program sandstorm-http-bridge and that file belong into the package

	Sources       []Mapping
	FileList      string   // path of the list of files; empty if there is none
	AlwaysInclude []string // paths in the package, with all below

	Warnings []string // what is allowed, but probably not meant
}

// Options steer Load.
type Options struct {
	ImportPath []string // directories for imports that start with "/"
}

// installed are where imports are looked for besides (packages.md §5), before
// the schemas that this program carries.
var installed = []string{"/opt/sandstorm/latest/usr/include", "/usr/local/include", "/usr/include"}

// SplitName splits FILE:NAME. The name may be left out.
func SplitName(spec string) (file, name string) {
	if i := strings.LastIndexByte(spec, ':'); i >= 0 && !strings.Contains(spec[i:], "/") {
		file, name = spec[:i], spec[i+1:]
	} else {
		file = spec
	}
	if name == "" {
		name = "pkgdef"
	}
	return file, name
}

// Evaluate evaluates the constant FILE:NAME, whatever its type.
func Evaluate(spec string, opts Options) (*capnplang.Value, error) {
	file, name := SplitName(spec)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such file. Make one with “spk init”, or name yours with --pkg-def FILE:NAME", file)
	}
	f, err := capnplang.Load(file, capnplang.Options{
		ImportPath: append(append([]string{}, opts.ImportPath...), installed...),
		Builtin:    schema.Files,
	})
	if err != nil {
		return nil, err
	}
	return f.Const(name)
}

// Load evaluates and checks the definition FILE:NAME.
func Load(spec string, opts Options) (*Definition, error) {
	value, err := Evaluate(spec, opts)
	if err != nil {
		return nil, err
	}
	file, name := SplitName(spec)
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s: %s: %w", file, name, fmt.Errorf(format, args...))
	}
	if value.TypeID() != schema.PackageDefinition_TypeID {
		return nil, bad("this constant is not of the type PackageDefinition; write “const %s :Spk.PackageDefinition = (…);”", name)
	}
	content, err := value.Message()
	if err != nil {
		return nil, err
	}
	msg, err := capnp.Unmarshal(content)
	if err != nil {
		return nil, bad("%w", err)
	}
	msg.TraverseLimit = 4 * uint64(len(content)) // our own message, read more than once
	def, err := schema.ReadRootPackageDefinition(msg)
	if err != nil {
		return nil, bad("%w", err)
	}
	d := &Definition{File: file}
	if err := d.read(def); err != nil {
		return nil, bad("%w", err)
	}
	return d, nil
}

// read fills d and checks what only a complete definition can show.
func (d *Definition) read(def schema.PackageDefinition) error {
	r := &reader{}
	id := r.text(def.Id())
	if r.err == nil {
		var err error
		if d.ID, err = sandstorm.ParseAppID(id); err != nil {
			return fmt.Errorf("id %q is not an app id; “spk keygen” makes one", id)
		}
	}
	if err := errors.Join(r.err, d.readManifest(def), d.readBridge(def)); err != nil {
		return err
	}
	if !def.HasSourceMap() {
		return errors.New("sourceMap is missing: say where the files come from")
	}
	if err := d.readSources(def); err != nil {
		return err
	}
	d.FileList = r.text(def.FileList())
	if d.FileList != "" {
		d.FileList = d.findFileList(d.FileList)
	}
	include, err := def.AlwaysInclude()
	r.fail(err)
	for i := range include.Len() {
		d.AlwaysInclude = append(d.AlwaysInclude, r.text(include.At(i)))
	}
	return r.err
}

// findFileList is where a list of files lies: below the current directory, as
// it always was, or else beside the definition.
func (d *Definition) findFileList(name string) string {
	beside := filepath.Join(filepath.Dir(d.File), name)
	if _, err := os.Stat(name); err != nil && !filepath.IsAbs(name) {
		if _, err := os.Stat(beside); err == nil {
			return beside
		}
	}
	return name
}

func (d *Definition) readManifest(def schema.PackageDefinition) error {
	if !def.HasManifest() {
		return errors.New("manifest is missing")
	}
	m, err := def.Manifest()
	if err != nil {
		return err
	}
	switch {
	case !m.HasAppTitle():
		return errors.New("manifest: appTitle is missing; write “appTitle = (defaultText = \"…\"),”")
	case !m.HasAppMarketingVersion():
		return errors.New("manifest: appMarketingVersion is missing; write “appMarketingVersion = (defaultText = \"1.0.0\"),”")
	case m.MinApiVersion() > m.MaxApiVersion():
		return fmt.Errorf("manifest: minApiVersion %d is larger than maxApiVersion %d", m.MinApiVersion(), m.MaxApiVersion())
	case m.MaxApiVersion() > spk.APIVersion:
		return fmt.Errorf("manifest: there is no API version %d; the newest one is %d", m.MaxApiVersion(), spk.APIVersion)
	}
	if d.Manifest, err = copyRoot(m.ToPtr()); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	if d.Parsed, _, err = spk.ParseManifest(d.Manifest); err != nil {
		return err
	}
	if d.Parsed.Continue == nil {
		d.Warnings = append(d.Warnings, d.File+": manifest: continueCommand is missing: a grain will start once and never again")
	}
	return nil
}

func (d *Definition) readBridge(def schema.PackageDefinition) error {
	c, err := def.BridgeConfig()
	if err != nil {
		return err
	}
	if !def.HasBridgeConfig() {
		if c, err = emptyBridgeConfig(); err != nil {
			return err
		}
	}
	if d.BridgeConfig, err = copyRoot(c.ToPtr()); err != nil {
		return fmt.Errorf("bridgeConfig: %w", err)
	}
	if _, err := spk.ParseBridgeConfig(d.BridgeConfig); err != nil {
		return err
	}
	d.WantsBridge = def.HasBridgeConfig()
	if d.Parsed != nil && d.Parsed.Continue != nil {
		program := strings.TrimPrefix(strings.TrimPrefix(d.Parsed.Continue.Argv[0], "."), "/")
		d.WantsBridge = d.WantsBridge || program == BridgeName
	}
	return nil
}

func emptyBridgeConfig() (schema.BridgeConfig, error) {
	_, seg, err := capnp.NewMessage(capnp.SingleSegment(nil))
	if err != nil {
		return schema.BridgeConfig{}, err
	}
	return schema.NewRootBridgeConfig(seg)
}

// copyRoot makes a framed message of one struct of another message.
func copyRoot(p capnp.Ptr) ([]byte, error) {
	msg, _, err := capnp.NewMessage(capnp.SingleSegment(nil))
	if err != nil {
		return nil, err
	}
	if err := msg.SetRoot(p); err != nil {
		return nil, err
	}
	b, err := msg.Marshal()
	if err == nil && len(b) > spk.MaxManifest {
		err = fmt.Errorf("%d bytes, more than %d; are the pictures too large?", len(b), spk.MaxManifest)
	}
	return b, err
}

// reader takes fields of a message; the first error sticks.
type reader struct{ err error }

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) text(s string, err error) string {
	r.fail(err)
	return s
}
