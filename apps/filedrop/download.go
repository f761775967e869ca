package main

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// shown are the types that a browser may show in the app's own address: none
// of them can run a script there. Whatever else people upload is only ever
// handed out as a download, since a page of one would act for all the others.
var shown = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
	".webp": "image/webp", ".avif": "image/avif", ".bmp": "image/bmp", ".ico": "image/x-icon",
	".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".ogv": "video/ogg",
	".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".ogg": "audio/ogg", ".oga": "audio/ogg",
	".opus": "audio/ogg", ".wav": "audio/wav", ".flac": "audio/flac",
	".pdf": "application/pdf",
	".txt": plain, ".md": plain, ".csv": plain, ".log": plain, ".ini": plain, ".toml": plain,
	".yaml": plain, ".yml": plain, ".json": plain, ".go": plain, ".py": plain, ".sh": plain, ".c": plain, ".h": plain,
}

const plain = "text/plain; charset=utf-8"

// download hands out a file, in ranges if asked. ?save=1 makes it a download
// in any case.
func (a *app) download(w http.ResponseWriter, r *http.Request) {
	a.serveFile(w, r, r.PathValue("path"))
}

func (a *app) serveFile(w http.ResponseWriter, r *http.Request, p string) {
	p, err := clean(p)
	if err != nil {
		a.fail(w, err)
		return
	}
	f, err := a.tree.root.Open(at(p))
	if err != nil {
		a.fail(w, err)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		a.fail(w, fs.ErrNotExist)
		return
	}
	kind, inline := shown[strings.ToLower(path.Ext(p))]
	if strings.EqualFold(path.Ext(p), ".svg") {
		kind = "image/svg+xml" // fine in <img>; opened by itself it is a download
	} else if !inline {
		kind = "application/octet-stream"
	}
	if !inline || r.URL.Query().Get("save") != "" {
		w.Header().Set("Content-Disposition", attachment(path.Base(p)))
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; sandbox")
	w.Header().Set("ETag", etag(info))
	w.Header().Set("Cache-Control", "private, no-cache")
	http.ServeContent(w, r, "", info.ModTime(), f)
}

func etag(info fs.FileInfo) string {
	return fmt.Sprintf(`"%x-%x"`, info.ModTime().UnixNano(), info.Size())
}

// attachment names a download twice, since older bridges know only the plain
// form (gateway.md §10).
func attachment(name string) string {
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '_'
		}
		return r
	}, name)
	return fmt.Sprintf(`attachment; filename="%s"; filename*=UTF-8''%s`, ascii, url.PathEscape(name))
}

// zip hands out a whole folder, packed while it is sent.
func (a *app) zip(w http.ResponseWriter, r *http.Request) {
	p, err := clean(r.PathValue("path"))
	if err != nil {
		a.fail(w, err)
		return
	}
	info, err := a.tree.root.Stat(at(p))
	if err != nil || !info.IsDir() {
		a.fail(w, fs.ErrNotExist)
		return
	}
	name := path.Base(p)
	if p == "" {
		name = "files"
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", attachment(name+".zip"))
	z := zip.NewWriter(w)
	err = fs.WalkDir(a.tree.root.FS(), at(p), func(file string, d fs.DirEntry, err error) error {
		if err != nil || file == at(p) {
			return err
		}
		return a.addToZip(z, file, strings.TrimPrefix(file, at(p)+"/"), d)
	})
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		a.log.Warn("zip not finished", "err", err)
		panic(http.ErrAbortHandler) // the receiver must not take it for whole
	}
}

func (a *app) addToZip(z *zip.Writer, file, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: info.ModTime()}
	if d.IsDir() {
		header.Name += "/"
		header.Method = zip.Store
		_, err = z.CreateHeader(header)
		return err
	}
	if !info.Mode().IsRegular() {
		return nil
	}
	if _, media := shown[strings.ToLower(path.Ext(name))]; media && shown[strings.ToLower(path.Ext(name))] != plain {
		header.Method = zip.Store // compressed already
	}
	src, err := a.tree.root.Open(file)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return err
}
