package rootfs

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// config is an image's configuration (OCI image-spec, config.md).
type config struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Config       struct {
		User         string              `json:"User"`
		ExposedPorts map[string]struct{} `json:"ExposedPorts"`
		Env          []string            `json:"Env"`
		Entrypoint   []string            `json:"Entrypoint"`
		Cmd          []string            `json:"Cmd"`
		Volumes      map[string]struct{} `json:"Volumes"`
		WorkingDir   string              `json:"WorkingDir"`
	} `json:"config"`
	RootFS struct {
		DiffIDs []digest `json:"diff_ids"`
	} `json:"rootfs"`
}

// check compares the configuration with the manifest and the platform, before
// anything is unpacked.
func (c *config) check(layers int) error {
	if layers > maxLayers {
		return fmt.Errorf("the image has %d layers; at most %d are allowed", layers, maxLayers)
	}
	if layers == 0 {
		return fmt.Errorf("the image has no layers, so there are no files in it")
	}
	if len(c.RootFS.DiffIDs) != layers {
		return fmt.Errorf("the manifest has %d layers and the configuration %d: the image is damaged", layers, len(c.RootFS.DiffIDs))
	}
	if c.OS != wantOS || c.Architecture != wantArch {
		return fmt.Errorf("the image is for %.20s/%.20s; packages are for %s/%s", c.OS, c.Architecture, wantOS, wantArch)
	}
	for _, list := range [][]string{c.Config.Env, c.Config.Entrypoint, c.Config.Cmd, {c.Config.WorkingDir}} {
		for _, s := range list {
			if strings.ContainsRune(s, 0) {
				return fmt.Errorf("a text with a NUL byte in the image's configuration: %.40q", s)
			}
		}
	}
	return nil
}

// describe says what the image is started with, and what will differ in a
// grain. It moves what the grain's own directories would cover.
func (c *config) describe(dir string, n *notes) (*Image, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	img := &Image{
		Argv:    slices.Concat(c.Config.Entrypoint, c.Config.Cmd),
		WorkDir: path.Clean("/" + c.Config.WorkingDir),
		Ports:   tcpPorts(c.Config.ExposedPorts, n),
	}
	for _, e := range c.Config.Env {
		if key, _, ok := strings.Cut(e, "="); ok && key != "" {
			img.Env = append(img.Env, e)
		}
	}
	c.findProgram(root, img, n)
	for v := range c.Config.Volumes {
		img.Volumes = append(img.Volumes, path.Clean("/"+v))
	}
	slices.Sort(img.Volumes)
	for _, v := range img.Volumes {
		if v != "/var" && !strings.HasPrefix(v, "/var/") {
			n.say("the program keeps its data in %q; in a grain only /var can be written, so point it there or make %q a symlink into /var", v, v)
		}
	}
	if u := c.Config.User; u != "" && u != "0" && u != "root" {
		n.say("the image starts its program as user %q; in a grain it runs as an ordinary user with number 1000, who owns nothing outside of /var", u)
	}
	if img.VarDir, err = moveCovered(root, n); err != nil {
		return nil, err
	}
	img.Warnings = n.all()
	return img, nil
}

// findProgram makes the path of the program absolute: nothing searches for it
// in a grain.
func (c *config) findProgram(root *os.Root, img *Image, n *notes) {
	if len(img.Argv) == 0 {
		n.say("the image does not say how it is started")
		return
	}
	program := img.Argv[0]
	var places []string
	switch {
	case strings.HasPrefix(program, "/"):
		places = []string{program}
	case strings.Contains(program, "/"):
		places = []string{path.Join(img.WorkDir, program)}
	default:
		search := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
		for _, e := range img.Env {
			if list, ok := strings.CutPrefix(e, "PATH="); ok {
				search = list
			}
		}
		for dir := range strings.SplitSeq(search, ":") {
			places = append(places, path.Join("/", dir, program))
		}
	}
	for _, place := range places {
		if isProgram(root, place) {
			img.Argv[0] = place
			return
		}
	}
	n.say("the program %q that the image starts is not in it", program)
}

func isProgram(root *os.Root, name string) bool {
	real, _, err := follow(root, strings.TrimPrefix(name, "/"), false)
	if err != nil {
		return false
	}
	info, err := root.Lstat(real)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// tcpPorts reads "8080/tcp", "8080" and "8000-8010/tcp".
func tcpPorts(exposed map[string]struct{}, n *notes) []int {
	var ports []int
	for spec := range exposed {
		number, protocol, _ := strings.Cut(spec, "/")
		first, _, _ := strings.Cut(number, "-")
		port, err := strconv.Atoi(first)
		if err != nil || port < 1 || port > 65535 || protocol != "" && protocol != "tcp" {
			n.add("ports that are no TCP ports have no use in a grain", spec)
			continue
		}
		ports = append(ports, port)
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// covered are directories that the sandbox fills itself.
var covered = []string{"dev", "proc", "sys", "tmp"}

// bookkeeping in /var is of no use in a grain: nobody installs anything there.
var bookkeeping = []string{"var/cache", "var/log", "var/tmp", "var/lib/apt", "var/lib/dpkg", "var/lib/rpm", "var/lib/dnf", "var/run", "var/lock"}

const varDir = "var.image"

// moveCovered empties the directories that the sandbox covers, and moves what
// the image has below /var to where the grain still sees it.
func moveCovered(root *os.Root, n *notes) (string, error) {
	for _, name := range slices.Concat(covered, bookkeeping) {
		// A symlink var/run → /run goes, too; through one, nothing does.
		if info, err := root.Lstat(path.Dir(name)); err != nil || !info.IsDir() {
			continue
		}
		if err := root.RemoveAll(name); err != nil {
			return "", err
		}
	}
	info, err := root.Lstat("var")
	if err != nil {
		return "", nil // most likely it is not there
	}
	if !info.IsDir() {
		n.say("/var is no directory in the image; a grain has its own, and this one is left away")
		return "", root.Remove("var")
	}
	files := 0
	err = fs.WalkDir(root.FS(), "var", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files++
		}
		return err
	})
	if err != nil || files == 0 {
		return "", err
	}
	if _, err := root.Lstat(varDir); err == nil {
		return "", fmt.Errorf("the image has a directory /%s of its own, where its files below /var should go", varDir)
	}
	n.say("the image has %d files below /var, which in a grain is its own directory and empty at first; they are in /%s now: copy what the program needs at its first start (cp -a /%s/. /var)", files, varDir, varDir)
	return "/" + varDir, root.Rename("var", varDir)
}
