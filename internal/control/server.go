package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/app"
	"github.com/sandstorm-go/sandstorm/internal/grain"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/locale"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

// Accounts is what the commands need of the rules of accounts.
type Accounts interface {
	// Find returns the account that an administrator names: by handle, name,
	// e-mail address or id.
	Find(ctx context.Context, name string) (*sandstorm.Account, error)
	// Create makes an account that signs in with an e-mail address or, if email
	// is empty and development accounts are allowed, by name.
	Create(ctx context.Context, name, email string, role sandstorm.Role) (*sandstorm.Account, error)
	// List returns all accounts with their roles.
	List(ctx context.Context) ([]sandstorm.Account, error)
}

// Options are what a Server works with.
type Options struct {
	Version  string
	BaseURL  string
	Store    *store.Store
	Host     host.Client
	Accounts Accounts
	Apps     *app.Service
	Grains   *grain.Manager
	Messages *locale.Locale // English
	Log      *slog.Logger
	// DevAccounts lets commands act as a user who does not exist yet: as in the
	// browser, a development account is made by using it.
	DevAccounts bool
	// SessionURL returns the origin of a session's host.
	SessionURL func(sandstorm.HostID) string
}

type server struct {
	Options
	started time.Time
}

// NewServer makes the handler of the socket.
func NewServer(opts Options) http.Handler {
	s := &server{Options: opts, started: time.Now()}
	mux := http.NewServeMux()
	handle := func(pattern string, f func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			out, err := f(r)
			if err != nil {
				s.fail(w, err)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(out); err != nil {
				s.Log.Debug("cannot answer a command", "err", err)
			}
		})
	}
	handle("GET /status", s.status)
	handle("GET /apps", s.apps)
	handle("POST /apps", s.installApp)
	handle("GET /users", s.users)
	handle("POST /users", s.createUser)
	handle("GET /grains", s.grains)
	handle("POST /grains", s.createGrain)
	handle("POST /grains/{id}/start", s.startGrain)
	handle("POST /grains/{id}/stop", s.stopGrain)
	handle("POST /grains/{id}/open", s.openGrain)
	handle("DELETE /grains/{id}", s.deleteGrain)
	mux.HandleFunc("GET /grains/{id}/log", s.grainLog)
	return mux
}

// fail reports an error in words. The caller is an administrator, so the
// details go along.
func (s *server) fail(w http.ResponseWriter, err error) {
	kind := sandstorm.KindOf(err)
	f := describeFailure(s.Messages, err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(kind.HTTPStatus())
	if err := json.NewEncoder(w).Encode(f); err != nil {
		s.Log.Debug("cannot answer a command", "err", err)
	}
}

// describeFailure is an error as commands get it.
func describeFailure(messages *locale.Locale, err error) *failure {
	f := &failure{Kind: sandstorm.KindOf(err).String(), Message: messages.Error(err), Detail: err.Error()}
	var known *sandstorm.Error
	if errors.As(err, &known) {
		f.Key = known.Key
	}
	return f
}

func decode(r *http.Request, into any) error {
	dec := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return sandstorm.Errorf(sandstorm.Invalid, "request.malformed", "request: %w", err)
	}
	return nil
}

func (s *server) status(r *http.Request) (any, error) {
	st := Status{
		Version: s.Version, BaseURL: s.BaseURL, PID: os.Getpid(),
		Started: s.started, Store: s.Store.Engine(), Running: []host.GrainStatus{},
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	info, err := s.Host.Info(ctx)
	if err != nil {
		st.Warning = err.Error()
		return st, nil
	}
	st.Host = info
	running, err := s.Host.Grains(ctx)
	if err != nil {
		st.Warning = err.Error()
		return st, nil
	}
	st.Running = append(st.Running, running...)
	return st, nil
}

func describeApp(pkg sandstorm.Package) App {
	a := App{
		AppID: pkg.AppID, PackageID: pkg.ID,
		Title: pkg.Manifest.AppTitle.Default, Version: pkg.Manifest.MarketingVersion.Default,
		Number: pkg.Manifest.AppVersion, Actions: []string{},
	}
	for _, action := range pkg.Manifest.Actions {
		a.Actions = append(a.Actions, action.Title.Default)
	}
	return a
}

func (s *server) apps(r *http.Request) (any, error) {
	pkgs, err := s.Store.Packages(r.Context())
	if err != nil {
		return nil, err
	}
	apps := make([]App, 0, len(pkgs))
	for _, pkg := range pkgs {
		apps = append(apps, describeApp(*pkg))
	}
	return apps, nil
}

func (s *server) installApp(r *http.Request) (any, error) {
	if r.Header.Get("Content-Type") != "application/json" {
		pkg, err := s.Apps.InstallFile(r.Context(), r.Body)
		if err != nil {
			return nil, err
		}
		return describeApp(*pkg), nil
	}
	var in installURL
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	pkg, err := s.Apps.InstallURL(r.Context(), in.URL)
	if err != nil {
		return nil, err
	}
	return describeApp(*pkg), nil
}

func describeUser(a sandstorm.Account) User {
	return User{ID: a.ID, Name: a.Profile.Name, Handle: a.Profile.Handle, Role: a.Role}
}

func (s *server) users(r *http.Request) (any, error) {
	// Not the store's: there accounts have no role.
	accounts, err := s.Accounts.List(r.Context())
	if err != nil {
		return nil, err
	}
	users := make([]User, 0, len(accounts))
	for _, a := range accounts {
		users = append(users, describeUser(a))
	}
	return users, nil
}

func (s *server) createUser(r *http.Request) (any, error) {
	var in createUser
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	a, err := s.Accounts.Create(r.Context(), in.Name, in.Email, in.Role)
	if err != nil {
		return nil, err
	}
	return describeUser(*a), nil
}

func (s *server) grains(r *http.Request) (any, error) {
	ctx := r.Context()
	owners, err := s.owners(ctx, r.FormValue("user"))
	if err != nil {
		return nil, err
	}
	grains := []Grain{}
	for _, who := range owners {
		for _, trash := range []bool{false, true} {
			rows, err := s.Grains.List(ctx, who, grain.Query{Trash: trash, Desc: true})
			if err != nil {
				return nil, err
			}
			for _, row := range rows {
				grains = append(grains, describeGrain(row.Grain, *who, row.Running))
			}
		}
	}
	return grains, nil
}

// owners is one account, or all if no name is given.
func (s *server) owners(ctx context.Context, name string) (owners []*sandstorm.Account, err error) {
	if name != "" {
		who, err := s.Accounts.Find(ctx, name)
		return append(owners, who), err
	}
	accounts, err := s.Accounts.List(ctx)
	for i := range accounts {
		owners = append(owners, &accounts[i])
	}
	return owners, err
}

func describeGrain(g sandstorm.Grain, owner sandstorm.Account, running bool) Grain {
	return Grain{
		ID: g.ID, Title: g.Title, Owner: owner.Profile.Handle,
		AppID: g.AppID, PackageID: g.Package, Running: running,
		Trashed: g.Trashed != nil, Size: g.Size, LastUsed: g.LastUsed,
	}
}

// user is the account that a command acts as.
func (s *server) user(ctx context.Context, name string) (*sandstorm.Account, error) {
	who, err := s.Accounts.Find(ctx, name)
	if s.DevAccounts && sandstorm.IsKind(err, sandstorm.NotFound) {
		return s.Accounts.Create(ctx, name, "", sandstorm.RoleUser)
	}
	return who, err
}

func (s *server) createGrain(r *http.Request) (any, error) {
	var in createGrain
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	ctx := r.Context()
	who, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	appID, err := sandstorm.ParseAppID(in.App)
	if err != nil {
		return nil, err
	}
	found, err := s.Apps.Get(ctx, who, appID)
	if err != nil {
		return nil, err
	}
	var g *sandstorm.Grain
	if found.Dev != nil {
		g, err = s.Grains.CreateDev(ctx, who, appID, in.Action, in.Title)
	} else {
		g, err = s.Grains.Create(ctx, who, found.Package.ID, in.Action, in.Title)
	}
	if err != nil {
		return nil, err
	}
	return describeGrain(*g, *who, false), nil
}

// owner returns the grain that the request names and the account that owns it:
// an administrator's command acts with the owner's rights.
func (s *server) owner(r *http.Request) (sandstorm.GrainID, *sandstorm.Account, error) {
	id, err := sandstorm.ParseGrainID(r.PathValue("id"))
	if err != nil {
		return "", nil, err
	}
	g, err := s.Store.Grain(r.Context(), id)
	if err != nil {
		return "", nil, err
	}
	who, err := s.Store.Account(r.Context(), g.Owner)
	if err != nil {
		return "", nil, err
	}
	return id, &who.Account, nil
}

func (s *server) startGrain(r *http.Request) (any, error) {
	id, who, err := s.owner(r)
	if err != nil {
		return nil, err
	}
	return struct{}{}, s.Grains.Start(r.Context(), who, id)
}

func (s *server) stopGrain(r *http.Request) (any, error) {
	id, who, err := s.owner(r)
	if err != nil {
		return nil, err
	}
	return struct{}{}, s.Grains.Restart(r.Context(), who, id)
}

func (s *server) deleteGrain(r *http.Request) (any, error) {
	id, who, err := s.owner(r)
	if err != nil {
		return nil, err
	}
	if err := s.Grains.Trash(r.Context(), who, id); err != nil {
		return nil, err
	}
	return struct{}{}, s.Grains.Delete(r.Context(), who, id)
}

func (s *server) openGrain(r *http.Request) (any, error) {
	var in openGrain
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	id, err := sandstorm.ParseGrainID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	who, err := s.user(r.Context(), in.User)
	if err != nil {
		return nil, err
	}
	if in.Path == "" {
		in.Path = "/"
	}
	session, err := s.Grains.Open(r.Context(), who, id)
	if err != nil {
		return nil, err
	}
	q := url.Values{"sessionid": {session.Reveal()}, "path": {in.Path}}
	return Session{Grain: id, URL: s.SessionURL(session.HostID()) + "/_sandstorm-init?" + q.Encode()}, nil
}

func (s *server) grainLog(w http.ResponseWriter, r *http.Request) {
	id, who, err := s.owner(r)
	var log io.ReadCloser
	if err == nil {
		backlog, perr := strconv.ParseInt(r.FormValue("backlog"), 10, 64)
		if perr != nil || backlog < 0 {
			backlog = 8192
		}
		log, err = s.Grains.Log(r.Context(), who, id, backlog, r.FormValue("follow") == "true")
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	defer log.Close()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rc := http.NewResponseController(w)
	buf := make([]byte, 4096)
	for {
		n, err := log.Read(buf)
		if n > 0 {
			if _, werr := w.Write(buf[:n]); werr != nil {
				return
			}
			rc.Flush()
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && r.Context().Err() == nil {
				s.Log.Warn("a grain's log ended early", "grain", id, "err", err)
			}
			return
		}
	}
}
