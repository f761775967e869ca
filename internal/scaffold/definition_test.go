package scaffold

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sandstorm-go/sandstorm/internal/capnplang"
	"github.com/sandstorm-go/sandstorm/internal/terminal"
	"github.com/sandstorm-go/sandstorm/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const testAppID = "0fhhggzmts8cw7chvndffky0m5my9pjhmfkhursxvk3684kp66w0"

// evaluated is what of a definition's JSON the tests look at.
type evaluated struct {
	ID       string `json:"id"`
	Manifest struct {
		AppTitle            text `json:"appTitle"`
		AppMarketingVersion text `json:"appMarketingVersion"`
		ContinueCommand     struct {
			Argv    []string            `json:"argv"`
			Environ []map[string]string `json:"environ"`
		} `json:"continueCommand"`
		Metadata struct {
			Website string            `json:"website"`
			License map[string]string `json:"license"`
		} `json:"metadata"`
	} `json:"manifest"`
	SourceMap struct {
		SearchPath []Mapping `json:"searchPath"`
	} `json:"sourceMap"`
	FileList      string   `json:"fileList"`
	AlwaysInclude []string `json:"alwaysInclude"`
}

type text struct {
	DefaultText string `json:"defaultText"`
}

// withTool evaluates a definition with Cap'n Proto's own tool.
func withTool(t testing.TB, definition string) evaluated {
	t.Helper()
	cmd := exec.Command("capnp", "eval", "-I", "../../schema", "--output=json", save(t, definition), "pkgdef")
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, complaint.String(), definition)
	}
	return decode(t, out)
}

// withOurs evaluates it with our own evaluator.
func withOurs(t testing.TB, definition string) evaluated {
	t.Helper()
	f, err := capnplang.Load(save(t, definition), capnplang.Options{Builtin: schema.Files})
	if err != nil {
		t.Fatalf("%v\n%s", err, definition)
	}
	v, err := f.Const("pkgdef")
	if err != nil {
		t.Fatalf("%v\n%s", err, definition)
	}
	out, err := v.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, out)
}

func save(t testing.TB, definition string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sandstorm-pkgdef.capnp")
	if err := os.WriteFile(path, []byte(definition), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func decode(t testing.TB, out []byte) evaluated {
	t.Helper()
	var e evaluated
	if err := json.Unmarshal(out, &e); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return e
}

// TestDefinitions evaluates the definition of each kind of app and compares its
// text with what a person has read and found good.
func TestDefinitions(t *testing.T) {
	for _, c := range lookCases {
		t.Run(c.name, func(t *testing.T) {
			find := c.find
			if find == nil {
				find = everything
			}
			f, err := look(c.files.write(t), find)
			if err != nil {
				t.Fatal(err)
			}
			definition := Definition(f, testAppID, 0x1234567890abcdef)
			golden(t, strings.NewReplacer(" ", "-", ",", "", ".", "").Replace(c.name), definition+f.Setup)
			e := withTool(t, definition)
			if diff := cmp.Diff(e, withOurs(t, definition)); diff != "" {
				t.Error(diff)
			}
			compare(t, f, e)
			if f.Setup != "" {
				if out, err := exec.Command("sh", "-n", save(t, f.Setup)).CombinedOutput(); err != nil {
					t.Errorf("the launcher is no shell script: %s", out)
				}
			}
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// compare checks that everything found is in the definition, unchanged.
func compare(t testing.TB, f *Found, e evaluated) {
	t.Helper()
	if e.ID != testAppID || e.Manifest.AppTitle.DefaultText != f.Title || e.Manifest.AppMarketingVersion.DefaultText != f.Version {
		t.Errorf("%q %q %q, want %q %q", e.ID, e.Manifest.AppTitle, e.Manifest.AppMarketingVersion, f.Title, f.Version)
	}
	argv := e.Manifest.ContinueCommand.Argv
	if len(argv) < 3 || argv[0] != "/sandstorm-http-bridge" || cmp.Diff(argv[3:], f.Command) != "" {
		t.Errorf("argv %q, want the bridge and %q", argv, f.Command)
	}
	if e.Manifest.Metadata.Website != f.Website || e.Manifest.Metadata.License["openSource"] != f.License {
		t.Errorf("%+v, want %q and %q", e.Manifest.Metadata, f.Website, f.License)
	}
	if diff := cmp.Diff(f.Sources, e.SourceMap.SearchPath); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(f.Include, e.AlwaysInclude); diff != "" {
		t.Error(diff)
	}
}

// TestInjection: what a source tree says stays text, whatever it says.
func TestInjection(t *testing.T) {
	for _, evil := range []string{
		`", appVersion = 7, appTitle = (defaultText = "x`,
		"\"); const evil :Text = embed \"/etc/passwd\";\n#",
		"line\nbreak\rreturn\u2028separator\u2029paragraph\u0085next\vtab\ffeed",
		`back\slash\x41\`,
		"nul\x00byte \x1b[31m \x7f",
		"bad \xff\xfe UTF-8",
		"right\u202eto left",
		"émojis 🙂 and 漢字",
		strings.Repeat("long ", 1000),
		"@PORT@",
	} {
		name, err := json.Marshal(strings.ReplaceAll(evil, "/", "∕"))
		if err != nil {
			t.Fatal(err)
		}
		files := tree{
			"package.json": `{"name":` + string(name) + `,"version":` + string(name) + `,"homepage":"https://x/","license":` + string(name) + `,"main":` + string(name) + `,"scripts":{"start":` + string(name) + `}}`,
			"index.js":     "",
		}
		f, err := look(files.write(t), everything)
		if err != nil {
			t.Fatal(err)
		}
		f.Notes = append(f.Notes, evil)
		f.Command = append(f.Command, evil)
		definition := Definition(f, testAppID, 1)
		e := withTool(t, definition)
		if diff := cmp.Diff(e, withOurs(t, definition)); diff != "" {
			t.Error(diff)
		}
		// In a command, what is no text at all cannot be kept.
		f.Command[len(f.Command)-1] = strings.ReplaceAll(strings.ToValidUTF8(evil, "\uFFFD"), "\x00", "\uFFFD")
		compare(t, f, e)
		if strings.ContainsAny(f.Title, "\n\r\x00\u2028\u202e") || started(f) != "/usr/bin/node /opt/app/index.js" {
			t.Errorf("title %q, started with %q", f.Title, started(f))
		}
	}
}

func TestOriginal(t *testing.T) {
	for name, c := range map[string]struct {
		o       OriginalOptions
		argv    []string
		sources []Mapping
		include []string
	}{
		"original-port": {
			OriginalOptions{AppID: testAppID, FileID: 1, Command: []string{"/usr/bin/my-app", `a "b" c`, "--flag"}, Port: 8000},
			[]string{"/sandstorm-http-bridge", "8000", "--", "/usr/bin/my-app", `a "b" c`, "--flag"},
			[]Mapping{{SourcePath: "."}, {SourcePath: "/", HidePaths: hidden}},
			[]string{},
		},
		"original-raw": {
			OriginalOptions{AppID: testAppID, FileID: 1, Command: []string{"/app"}, SourcePaths: []string{"build", "../x"}, IncludeAll: true},
			[]string{"/app"},
			[]Mapping{{SourcePath: "build"}, {SourcePath: "../x"}},
			[]string{"."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			definition := Original(c.o)
			golden(t, name, definition)
			e := withTool(t, definition)
			if diff := cmp.Diff(e, withOurs(t, definition)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.argv, e.Manifest.ContinueCommand.Argv); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]map[string]string{{"key": "PATH", "value": basePath}, {"key": "SANDSTORM", "value": "1"}}, e.Manifest.ContinueCommand.Environ); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.sources, e.SourceMap.SearchPath); diff != "" {
				t.Error(diff)
			}
			if e.FileList != filesList || cmp.Diff(c.include, e.AlwaysInclude) != "" || e.ID != testAppID {
				t.Errorf("%+v", e)
			}
			if !strings.HasPrefix(definition, "@0x8000000000000001;") {
				t.Errorf("the file's id: %.30s", definition)
			}
		})
	}
}

func TestFromImage(t *testing.T) {
	f := FromImage(ImageOptions{
		Title: "wiki", Source: "oci:image", Argv: []string{"/usr/bin/wiki", "a b"}, Env: []string{"PATH=/usr/bin", "A=b=c"},
		WorkDir: "/srv/o'wiki", VarDir: "/var.image", Ports: []int{80, 8080}, Volumes: []string{"/data", "/var/lib/wiki"},
	})
	compare(t, f, withTool(t, Definition(f, testAppID, 1)))
	want := `[ -e /var/.prepared ] || { cp -R /var.image/. /var && : > /var/.prepared; } && cd '/srv/o'\''wiki' && exec "$0" "$@"`
	if cmp.Diff(f.Command, []string{"/bin/sh", "-c", want, "/usr/bin/wiki", "a b"}) != "" {
		t.Errorf("%q", f.Command)
	}
	notes := strings.Join(f.Notes, "\n")
	if f.Port != 80 || !strings.Contains(notes, "port 80") || !strings.Contains(notes, "/data") || strings.Contains(notes, "/var/lib") {
		t.Errorf("%d\n%s", f.Port, notes)
	}
}

// TestNothingHidden: what a stranger's image says is to be read as it is, so that
// a definition cannot look other than it is (CVE-2021-42574).
func TestNothingHidden(t *testing.T) {
	f := FromImage(ImageOptions{
		Title: "a\u202eb", Source: "oci:x\u2066y", Argv: []string{"/a\u202eb", "\u2066\u009b"},
		Env: []string{"A=\u202e\x1b", "B\u2067=1"}, Ports: []int{8080}, Volumes: []string{"/v\u202d"},
	})
	text := Definition(f, testAppID, 1)
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && terminal.Obeyed(r) }); i >= 0 {
		t.Errorf("%q", text[max(0, i-40):i+10])
	}
	withOurs(t, text)
	if !strings.Contains(text, `"/a\xe2\x80\xaeb"`) {
		t.Error(text)
	}
}
