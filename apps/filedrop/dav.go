package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/net/webdav"

	"github.com/sandstorm-go/sandstorm/apps/internal/visitor"
)

// davPrefix is where WebDAV lies inside the app. Programs outside come through
// the API, whose root is this folder (apiPath in app.json): they never see the
// prefix, so answers to them must not have it either.
const davPrefix = "/dav"

type dav struct {
	tree  *tree
	log   *slog.Logger
	locks webdav.LockSystem
}

func newDAV(t *tree, log *slog.Logger) *dav {
	return &dav{tree: t, log: log, locks: advisoryLocks{webdav.NewMemLS()}}
}

func (d *dav) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := visitor.From(r)
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "PROPFIND":
	default:
		if !v.Can("edit") {
			http.Error(w, "You may not do this here.", http.StatusForbidden)
			return
		}
	}
	switch r.Method {
	case http.MethodPut:
		d.put(w, r)
		return
	case http.MethodGet, http.MethodHead:
		// The library would guess the type and so show pages that can script.
		(&app{tree: d.tree, log: d.log}).serveFile(w, r, strings.TrimPrefix(r.URL.Path, davPrefix))
		return
	}
	api := r.Header.Get("X-Sandstorm-Base-Path") == "" // the API has none (gateway.md §11)
	h := &webdav.Handler{Prefix: davPrefix, FileSystem: davFiles{d.tree}, LockSystem: d.locks, Logger: d.logError}
	if api {
		h.Prefix = ""
		r = r.Clone(r.Context())
		r.URL.Path = strings.TrimPrefix(r.URL.Path, davPrefix)
		r.URL.RawPath = ""
	}
	if destination := r.Header.Get("Destination"); destination != "" {
		p, err := destinationPath(destination, api)
		if err != nil {
			http.Error(w, "Bad Destination.", http.StatusBadRequest)
			return
		}
		r.Header.Set("Destination", p)
	}
	h.ServeHTTP(w, r)
}

// destinationPath returns the path of a Destination as the library wants it:
// the host plays no role, the bridge has checked it. For the API our bridge puts
// the prefix before what the client said, older ones send the client's path.
func destinationPath(destination string, api bool) (string, error) {
	u, err := url.Parse(destination)
	if err != nil {
		return "", err
	}
	p := "/" + strings.TrimLeft(u.EscapedPath(), "/")
	if api && u.IsAbs() {
		p = "/" + strings.TrimLeft(strings.TrimPrefix(p, davPrefix+"/"), "/")
	}
	return p, nil
}

// put differs from the library's: a transfer that breaks leaves nothing.
func (d *dav) put(w http.ResponseWriter, r *http.Request) {
	p, err := clean(strings.TrimPrefix(r.URL.Path, davPrefix))
	if err == nil {
		_, err = d.tree.root.Stat(at(path.Dir(p)))
	}
	if err != nil {
		http.Error(w, "There is no such folder.", http.StatusConflict) // RFC 4918 §9.7.1
		return
	}
	modified := modifiedTime(r)
	_, replaced, err := d.tree.put(p, r.Body, modified, replace)
	switch {
	case errors.Is(err, errExists):
		http.Error(w, "There is a folder of that name.", http.StatusMethodNotAllowed)
	case err != nil:
		(&app{log: d.log}).fail(w, err)
	default:
		if info, err := d.tree.root.Stat(at(p)); err == nil {
			w.Header().Set("ETag", etag(info))
		}
		if !modified.IsZero() {
			w.Header().Set("X-OC-MTime", "accepted")
		}
		if replaced {
			w.WriteHeader(http.StatusNoContent)
		} else {
			w.WriteHeader(http.StatusCreated)
		}
	}
}

func (d *dav) logError(r *http.Request, err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
		d.log.Info("webdav", "method", r.Method, "err", err)
	}
}

// advisoryLocks gives out locks, which some programs insist on, but lets
// everybody write: older bridges do not pass the If header on (gateway.md §5),
// so that nobody could show that the lock is theirs.
type advisoryLocks struct{ webdav.LockSystem }

func (l advisoryLocks) Create(now time.Time, details webdav.LockDetails) (string, error) {
	if details.OwnerXML == "" && details.ZeroDepth && details.Duration < 0 { // the library's own, around one request
		return "opaquelocktoken:" + rand.Text(), nil
	}
	if details.Duration < 0 || details.Duration > maxLock { // forgotten ones must not pile up
		details.Duration = maxLock
	}
	return l.LockSystem.Create(now, details)
}

const maxLock = time.Hour

func (l advisoryLocks) Confirm(time.Time, string, string, ...webdav.Condition) (func(), error) {
	return func() {}, nil
}

// davFiles shows the tree to the WebDAV library.
type davFiles struct{ tree *tree }

func (d davFiles) Mkdir(_ context.Context, name string, _ os.FileMode) error {
	p, err := clean(name)
	if err == nil {
		err = d.tree.makeFolder(p)
	}
	if errors.Is(err, errExists) {
		return os.ErrExist
	}
	return err
}

func (d davFiles) OpenFile(_ context.Context, name string, flag int, _ os.FileMode) (webdav.File, error) {
	p, err := clean(name)
	if err != nil {
		return nil, os.ErrNotExist
	}
	f, err := d.tree.root.OpenFile(at(p), flag, 0o600)
	if err != nil {
		return nil, err
	}
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
		d.tree.watch.tell(path.Dir(p))
	}
	return davFile{f}, nil
}

func (d davFiles) RemoveAll(_ context.Context, name string) error {
	p, err := clean(name)
	if err != nil {
		return os.ErrNotExist
	}
	return d.tree.remove(p)
}

func (d davFiles) Rename(_ context.Context, oldName, newName string) error {
	from, err1 := clean(oldName)
	to, err2 := clean(newName)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	return d.tree.move(from, to)
}

func (d davFiles) Stat(_ context.Context, name string) (os.FileInfo, error) {
	p, err := clean(name)
	if err != nil {
		return nil, os.ErrNotExist
	}
	info, err := d.tree.root.Stat(at(p))
	if err != nil {
		return nil, err
	}
	return davInfo{info}, nil
}

type davFile struct{ *os.File }

func (f davFile) Stat() (os.FileInfo, error) {
	info, err := f.File.Stat()
	if err != nil {
		return nil, err
	}
	return davInfo{info}, nil
}

func (f davFile) Readdir(count int) ([]os.FileInfo, error) {
	found, err := f.File.Readdir(count)
	for i := range found {
		found[i] = davInfo{found[i]}
	}
	return found, err
}

// davInfo says type and ETag without opening the file: the library would read
// the beginning of each to guess.
type davInfo struct{ os.FileInfo }

func (i davInfo) ContentType(context.Context) (string, error) {
	if kind, ok := shown[strings.ToLower(path.Ext(i.Name()))]; ok {
		return kind, nil
	}
	return "application/octet-stream", nil
}

func (i davInfo) ETag(context.Context) (string, error) { return etag(i.FileInfo), nil }
