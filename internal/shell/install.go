package shell

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/app"
)

// maxUpload bounds an upload before the rules look at it: no .spk unpacks to
// more than 1 GiB (packages.md §2), and none is larger packed.
const maxUpload = 1<<30 + 1<<20

// upload takes a .spk: as the whole body from script, or as a form.
func (s *Shell) upload(q *request) error {
	src, size, err := uploadedFile(q)
	if err != nil {
		return err
	}
	attempt, err := s.Apps.Upload(q.r.Context(), q.account, src, size)
	if err == nil && attempt.Err != nil {
		err = attempt.Err
	}
	if err != nil {
		if q.wantsJSON() {
			return err
		}
		return s.showFailedInstall(q, err)
	}
	target := "/install/" + string(attempt.Package)
	if q.wantsJSON() {
		return q.writeJSON(http.StatusOK, map[string]string{"location": target})
	}
	q.redirect(target)
	return nil
}

// uploadedFile is the stream of the uploaded package. Nothing is buffered.
func uploadedFile(q *request) (io.Reader, int64, error) {
	q.r.Body = http.MaxBytesReader(q.w, q.r.Body, maxUpload)
	ct, _, _ := mime.ParseMediaType(q.r.Header.Get("Content-Type"))
	if ct != "multipart/form-data" {
		return q.r.Body, q.r.ContentLength, nil
	}
	parts, err := q.r.MultipartReader()
	if err != nil {
		return nil, 0, sandstorm.Errorf(sandstorm.Invalid, "request.malformed", "upload form: %v", err)
	}
	for range 10 { // our form has one part
		part, err := parts.NextPart()
		if err != nil {
			break
		}
		if part.FormName() == "package" && part.FileName() != "" {
			return part, -1, nil
		}
	}
	return nil, 0, sandstorm.Errorf(sandstorm.Invalid, "install.no-file", "upload form without a file")
}

// attemptData is what the progress page of a download shows.
type attemptData struct {
	Attempt *Attempt
	Error   string
	Hint    string
}

// showFailedInstall says why a package could not be installed.
func (s *Shell) showFailedInstall(q *request, cause error) error {
	p := s.explain(q, cause)
	if p.Status >= 500 && p.Key == "internal" {
		return cause
	}
	q.status = p.Status
	data := attemptData{Attempt: &Attempt{State: app.StateFailed}, Error: p.Message, Hint: p.Hint}
	return s.render(q, page{Name: "attempt", Title: q.loc.T("install.failedTitle"), Nav: "apps", Data: data})
}

// installURL starts a download from an address that the person typed.
func (s *Shell) installURL(q *request) error {
	if err := q.form(); err != nil {
		return err
	}
	return s.download(q, q.field("url"), "")
}

func (s *Shell) download(q *request, from string, want sandstorm.PackageID) error {
	if !isHTTP(from) {
		return s.showFailedInstall(q, sandstorm.Errorf(sandstorm.Invalid, "install.bad-url", "not an http address: %.200q", from))
	}
	attempt, err := s.Apps.Download(q.r.Context(), q.account, from, want)
	if err != nil {
		return s.showFailedInstall(q, err)
	}
	q.redirect("/install/attempt/" + url.PathEscape(attempt.ID))
	return nil
}

func isHTTP(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && len(raw) <= 2048 && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}

// What confirming a package would do, compared with what the account has.
const (
	installNew       = "new"
	installUpgrade   = "upgrade"
	installDowngrade = "downgrade"
	installSame      = "same"
	installDownload  = "download" // the package is not here yet
)

// installData is what the confirmation page shows.
type installData struct {
	Mode    string
	Package *sandstorm.Package
	ID      sandstorm.PackageID
	Old     *App   // what is installed now, if anything
	URL     string // where the package would come from
	Host    string // of URL
	May     bool
}

func (s *Shell) packageID(q *request) (sandstorm.PackageID, error) {
	id, err := sandstorm.ParsePackageID(q.r.PathValue("package"))
	if err != nil {
		return "", errNoPage(q.r)
	}
	return id, nil
}

// install asks before a package becomes one of the account's apps. It is where
// app markets link to, with the address of the file as url.
func (s *Shell) install(q *request) error {
	id, err := s.packageID(q)
	if err != nil {
		return err
	}
	data := installData{ID: id, URL: q.r.URL.Query().Get("url"), May: q.account.Role.MayCreate()}
	pkg, err := s.Apps.Package(q.r.Context(), q.account, id)
	switch {
	case sandstorm.IsKind(err, sandstorm.NotFound) && isHTTP(data.URL):
		u, _ := url.Parse(data.URL) // isHTTP parsed it
		data.Mode, data.Host = installDownload, u.Host
		return s.render(q, page{Name: "install", Title: q.loc.T("install.title"), Nav: "apps", Data: data})
	case err != nil:
		return err
	}
	data.Package, data.Mode = pkg, installNew
	old, err := s.Apps.Get(q.r.Context(), q.account, pkg.AppID)
	if err != nil && !sandstorm.IsKind(err, sandstorm.NotFound) {
		return err
	}
	if err == nil && old.Added {
		data.Old, data.Mode = old, compareVersions(old.Package, *pkg)
	}
	return s.render(q, page{Name: "install", Title: q.loc.T("install.title"), Nav: "apps", Live: "apps", Data: data})
}

func compareVersions(old, pkg sandstorm.Package) string {
	switch o, n := old.Manifest.AppVersion, pkg.Manifest.AppVersion; {
	case old.ID == pkg.ID:
		return installSame
	case n > o:
		return installUpgrade
	case n < o:
		return installDowngrade
	}
	return installUpgrade // another build of the same version
}

func (s *Shell) installConfirm(q *request) error {
	id, err := s.packageID(q)
	if err != nil {
		return err
	}
	if err := q.form(); err != nil {
		return err
	}
	if from := q.field("url"); from != "" {
		return s.download(q, from, id)
	}
	a, err := s.Apps.Confirm(q.r.Context(), q.account, id)
	if err != nil {
		return s.showFailedInstall(q, err)
	}
	s.setFlash(q, flash{Key: "installed", Count: 1})
	q.redirect("/apps/" + string(a.ID))
	return nil
}

// attempt shows the progress of a download. Without script the page fetches
// itself again every two seconds.
func (s *Shell) attempt(q *request) error {
	a, err := s.findAttempt(q)
	if err != nil {
		return err
	}
	data := attemptData{Attempt: a}
	title := q.loc.T("install.progressTitle")
	switch a.State {
	case app.StateReady:
		q.redirect("/install/" + string(a.Package))
		return nil
	case app.StateFailed:
		cause := a.Err
		if cause == nil {
			cause = errors.New("attempt failed without a reason")
		}
		p := s.explain(q, cause)
		data.Error, data.Hint, title = p.Message, p.Hint, q.loc.T("install.failedTitle")
	case app.StateCanceled:
		title = q.loc.T("install.canceledTitle")
	default:
		q.w.Header().Set("Refresh", "2")
	}
	return s.render(q, page{Name: "attempt", Title: title, Nav: "apps", Live: "attempt:" + a.ID, Data: data})
}

func (s *Shell) findAttempt(q *request) (*Attempt, error) {
	id := q.r.PathValue("attempt")
	if len(id) > 64 || strings.ContainsAny(id, "/ ") {
		return nil, errNoPage(q.r)
	}
	return s.Apps.Attempt(q.r.Context(), q.account, id)
}

func (s *Shell) cancelAttempt(q *request) error {
	a, err := s.findAttempt(q)
	if err != nil {
		return err
	}
	if err := s.Apps.Cancel(q.r.Context(), q.account, a.ID); err != nil {
		return err
	}
	q.redirect("/install/attempt/" + url.PathEscape(a.ID))
	return nil
}
