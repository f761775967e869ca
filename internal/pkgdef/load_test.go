package pkgdef_test

import (
	"strings"
	"testing"

	"github.com/sandstorm-go/sandstorm/internal/pkgdef"
)

func TestLoad(t *testing.T) {
	dir := files(t, map[string]string{"src/app": ""})
	def := load(t, dir, `sourceMap = (searchPath = [(sourcePath = "src")]), fileList = "sandstorm-files.list",
  alwaysInclude = ["lib", "etc/x"], bridgeConfig = (apiPath = "/api/")`)
	if def.ID != appID || def.Parsed.AppTitle.Default != "Test" || !def.WantsBridge || def.BridgeConfig == nil {
		t.Errorf("%+v", def)
	}
	if def.FileList != "sandstorm-files.list" || strings.Join(def.AlwaysInclude, " ") != "lib etc/x" {
		t.Errorf("list %q, always %q", def.FileList, def.AlwaysInclude)
	}
}

// The list of files is relative to the current directory, as it always was; a
// list beside the definition is found too.
func TestFileListBesideDefinition(t *testing.T) {
	dir := files(t, map[string]string{"src/app": "", "files.list": "app"})
	def := load(t, dir, `sourceMap = (searchPath = [(sourcePath = "src")]), fileList = "files.list"`)
	if def.FileList != dir+"/files.list" {
		t.Errorf("%s", def.FileList)
	}
	t.Chdir(files(t, map[string]string{"files.list": "other"}))
	def = load(t, dir, `sourceMap = (searchPath = [(sourcePath = "src")]), fileList = "files.list"`)
	if def.FileList != "files.list" {
		t.Errorf("%s", def.FileList)
	}
}

func TestBadDefinitions(t *testing.T) {
	const good = `id = "` + appID + `", manifest = (appTitle = (defaultText = "T"), appMarketingVersion = (defaultText = "1"),
	continueCommand = .start), sourceMap = (searchPath = [(sourcePath = ".")])`
	if _, err := pkgdef.Load(write(t, t.TempDir(), good), pkgdef.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ old, bad, want string }{
		{appID, "nonsense", "spk keygen"},
		{`appTitle = (defaultText = "T"), `, "", "appTitle is missing"},
		{`appMarketingVersion = (defaultText = "1"),`, "", "appMarketingVersion is missing"},
		{`continueCommand = .start)`, `minApiVersion = 1, maxApiVersion = 1, continueCommand = .start)`, "API version 1"},
		{`continueCommand = .start)`, `minApiVersion = 1, continueCommand = .start)`, "larger than maxApiVersion"},
		{`continueCommand = .start`, `appVersion = 1`, "no command"},
		{`(sourcePath = ".")`, "", "searchPath is empty"},
		{`, sourceMap = (searchPath = [(sourcePath = ".")])`, "", "sourceMap is missing"},
		{`(sourcePath = ".")`, `(packagePath = "/usr", sourcePath = ".")`, "starts with a slash"},
		{`(sourcePath = ".")`, `(packagePath = "../x", sourcePath = ".")`, "leads out"},
		{`continueCommand = .start)`, `continueCommand = .start, metadata = (codeUrl = "javascript:1"))`, "codeUrl"},
		{`manifest = (`, `manifest = (apptitle = 1, `, "apptitle"},
	} {
		text := strings.Replace(good, tt.old, tt.bad, 1)
		if text == good {
			t.Fatalf("%q does not occur", tt.old)
		}
		path := write(t, t.TempDir(), text)
		_, err := pkgdef.Load(path, pkgdef.Options{})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v; want %q and the file", tt.bad, err, tt.want)
		}
	}
}

func TestMissingDefinition(t *testing.T) {
	_, err := pkgdef.Load("nowhere.capnp:pkgdef", pkgdef.Options{})
	if err == nil || !strings.Contains(err.Error(), "spk init") {
		t.Error(err)
	}
	path := write(t, t.TempDir(), `id = "x"`)
	for spec, want := range map[string]string{path + ":nothing": "nothing", path + ":start": "PackageDefinition"} {
		if _, err := pkgdef.Load(spec, pkgdef.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", spec, err)
		}
	}
}

func TestSplitName(t *testing.T) {
	for spec, want := range map[string][2]string{
		"a.capnp:b": {"a.capnp", "b"}, "a.capnp": {"a.capnp", "pkgdef"}, "/x:y/a.capnp": {"/x:y/a.capnp", "pkgdef"},
		"/x:y/a.capnp:c": {"/x:y/a.capnp", "c"}, "a.capnp:": {"a.capnp", "pkgdef"},
	} {
		if file, name := pkgdef.SplitName(spec); file != want[0] || name != want[1] {
			t.Errorf("%s: %s, %s", spec, file, name)
		}
	}
}
