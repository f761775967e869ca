package rootfs

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// What is inside a Debian package (deb(5)): an ar archive of the members
// debian-binary, control.tar.* and data.tar.*, in this order.
const (
	arMagic    = "!<arch>\n"
	arHeader   = 60
	maxControl = 1 << 20 // decompressed, for each file in control.tar
)

// debInfo is what a package says about itself.
type debInfo struct {
	name, version, arch string
}

func (i debInfo) String() string { return i.name + "_" + i.version + "_" + i.arch }

// What names and versions may consist of (Debian policy, 5.6.1 and 5.6.12).
var (
	debName    = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]{0,200}$`)
	debVersion = regexp.MustCompile(`^[A-Za-z0-9.+:~-]{1,200}$`)
)

// readDeb reads a package. data gets the tar archive of its files, and need not
// read it to its end.
func readDeb(ctx context.Context, r io.Reader, size int64, b *budget, data func(debInfo, io.Reader) error) (debInfo, error) {
	var info debInfo
	a := &arReader{r: r, left: size}
	if err := a.start(); err != nil {
		return info, err
	}
	for {
		name, member, err := a.next()
		if errors.Is(err, io.EOF) {
			return info, errors.New("the package has no data.tar, so there are no files in it")
		}
		if err != nil {
			return info, err
		}
		isControl, isData := strings.HasPrefix(name, "control.tar"), strings.HasPrefix(name, "data.tar")
		if !isControl && !isData {
			continue // debian-binary, signatures
		}
		plain, err := decompress(member)
		if err != nil {
			return info, fmt.Errorf("%s is damaged: %w", name, err)
		}
		stream := &bounded{ctx: ctx, r: plain, b: b}
		switch {
		case isControl:
			info, err = readControl(stream)
		case info.name == "":
			err = errors.New("data.tar comes before control.tar")
		default:
			err = data(info, stream)
		}
		// Sizes and checksums of the compression are at its end.
		if err == nil {
			err = drain(stream)
		}
		if err := errors.Join(err, plain.Close()); err != nil {
			return info, fmt.Errorf("%s: %w", name, err)
		}
		if isData {
			return info, nil
		}
	}
}

// readControl takes the fields of interest out of control.tar.
func readControl(r io.Reader) (debInfo, error) {
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return debInfo{}, errors.New("there is no file named control in it")
		}
		if err != nil {
			return debInfo{}, err
		}
		if strings.TrimPrefix(h.Name, "./") != "control" {
			continue
		}
		if h.Size > maxControl {
			return debInfo{}, fmt.Errorf("the file control has %d bytes; at most %d are allowed", h.Size, maxControl)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			return debInfo{}, err
		}
		f := fields(string(text))
		info := debInfo{f["Package"], f["Version"], f["Architecture"]}
		if !debName.MatchString(info.name) || !debVersion.MatchString(info.version) {
			return debInfo{}, fmt.Errorf("the package's name %.40q or version %.40q is malformed", info.name, info.version)
		}
		if info.arch != wantArch && info.arch != "all" {
			return debInfo{}, fmt.Errorf("the package is for %.20q; %s or all is needed", info.arch, wantArch)
		}
		return info, nil
	}
}

// fields reads a paragraph of "Key: value" lines; of a value with several lines
// only the first.
func fields(paragraph string) map[string]string {
	m := map[string]string{}
	for line := range strings.SplitSeq(paragraph, "\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, " ") && m[k] == "" {
			m[k] = strings.TrimSpace(v)
		}
	}
	return m
}

// arReader reads an ar archive, which is a header of text before each member.
type arReader struct {
	r      io.Reader
	left   int64 // bytes of the file
	member *io.LimitedReader
	pad    int64
}

func (a *arReader) start() error {
	magic := make([]byte, len(arMagic))
	if _, err := io.ReadFull(a.r, magic); err != nil || string(magic) != arMagic {
		return errors.New("this is not a Debian package")
	}
	a.left -= int64(len(magic))
	return nil
}

// next returns the name and the content of the next member.
func (a *arReader) next() (string, io.Reader, error) {
	if a.member != nil {
		if _, err := io.CopyN(io.Discard, a.r, a.member.N+a.pad); err != nil && (a.pad == 0 || !errors.Is(err, io.EOF)) {
			return "", nil, err
		}
	}
	var h [arHeader]byte
	if _, err := io.ReadFull(a.r, h[:]); errors.Is(err, io.EOF) {
		return "", nil, io.EOF
	} else if err != nil {
		return "", nil, errors.New("the package is cut off")
	}
	a.left -= arHeader
	size, err := strconv.ParseInt(strings.TrimRight(string(h[48:58]), " "), 10, 64)
	if err != nil || size < 0 || string(h[58:]) != "`\n" {
		return "", nil, errors.New("the package is damaged: a member's header is malformed")
	}
	if size > a.left {
		return "", nil, errors.New("the package is cut off")
	}
	a.left -= size + size%2
	a.pad = size % 2
	a.member = &io.LimitedReader{R: a.r, N: size}
	return strings.TrimRight(strings.TrimRight(string(h[:16]), " "), "/"), a.member, nil
}
