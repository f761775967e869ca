package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sandstorm-go/sandstorm/internal/account"
	"github.com/sandstorm-go/sandstorm/internal/app"
	"github.com/sandstorm-go/sandstorm/internal/config"
	"github.com/sandstorm-go/sandstorm/internal/control"
	"github.com/sandstorm-go/sandstorm/internal/gateway"
	"github.com/sandstorm-go/sandstorm/internal/grain"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/locale"
	"github.com/sandstorm-go/sandstorm/internal/notify"
	"github.com/sandstorm-go/sandstorm/internal/shell"
	"github.com/sandstorm-go/sandstorm/internal/store"
)

// options are what the command line says besides the configuration.
type options struct {
	dev            bool // a server for development
	discardSecrets bool // see store.Options
}

// program is a server that is ready to run: all its parts, put together by
// hand in wire.go.
type program struct {
	options
	cfg      *config.Config
	log      *slog.Logger
	lock     *os.File // of the data directory
	host     host.Client
	store    *store.Store
	notify   *notify.Hub
	hosts    *gateway.Hosts
	apps     *app.Service
	grains   *grain.Manager
	account  *account.Service
	shell    *shell.Shell
	messages *locale.Catalogue

	gateway   *gateway.Server
	listeners []gateway.Listener
	admin     *http.Server
	adminSock net.Listener
	devSock   net.Listener
}

// open does what needs the rights that the server was started with, gives them
// up, and puts the parts together.
func open(ctx context.Context, cfg *config.Config, log *slog.Logger, opts options) (*program, error) {
	id, err := chooseIdentity(cfg.ServerUser, cfg.DataDir, opts.dev)
	if err != nil {
		return nil, err
	}
	if id.confined {
		log.Warn("no other user can reach the data directory: the server stays root, without root's capabilities", "data", cfg.DataDir)
	}
	if err := prepareDataDir(cfg.DataDir, id); err != nil {
		return nil, fmt.Errorf("prepare the data directory: %w", err)
	}
	if !opts.dev {
		if err := checkDataDir(cfg.DataDir); err != nil {
			return nil, err
		}
	}
	p := &program{cfg: cfg, log: log, options: opts, notify: &notify.Hub{}}
	if p.lock, err = lockDataDir(cfg.DataDir); err != nil {
		return nil, err
	}
	if err := p.build(ctx, id); err != nil {
		if opts.dev && p.host != nil {
			err = errors.Join(err, p.stopHost())
		}
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *program) build(ctx context.Context, id identity) (err error) {
	if p.listeners, err = listen(ctx, p.cfg, p.log); err != nil {
		return err
	}
	if err := p.connect(ctx, id); err != nil {
		return err
	}
	return p.wire(ctx)
}

// connect finds or starts the host, becomes the server's user and opens the
// store.
func (p *program) connect(ctx context.Context, id identity) error {
	opts, err := hostOptions(p.cfg.DataDir, id, p.log)
	if err != nil {
		return err
	}
	if p.host, err = host.EnsureRunning(ctx, opts); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		// A host that this process would start later, without root's rights,
		// could not read what this one wrote: only wait for another.
		p.host.Close()
		if p.host, err = host.Dial(ctx, host.SocketPath(p.cfg.DataDir)); err != nil {
			return err
		}
	}
	if err := id.become(p.cfg); err != nil {
		return err
	}
	p.store, err = store.Open(ctx, store.Options{
		DataDir: p.cfg.DataDir, PostgresURL: p.cfg.DatabaseURL, DiscardSecrets: p.discardSecrets, Log: p.log,
	})
	if err != nil {
		return err
	}
	if p.adminSock, err = listenUnix(adminSocket(p.cfg.DataDir), 0o600); err != nil {
		return err
	}
	p.devSock, err = listenUnix(control.DevSocket(p.cfg.DataDir), 0o660)
	return err
}

// run serves until ctx is done, then lets requests end. Grains go on.
func (p *program) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, l := range p.listeners {
		g.Go(func() error { return p.gateway.Serve(l) })
	}
	g.Go(func() error { return ignoreClosed(p.admin.Serve(p.adminSock)) })
	g.Go(func() error {
		return control.ServeDev(ctx, p.devSock, control.DevServerOptions{
			BaseURL: p.cfg.BaseURL,
			Apps:    p.apps, Messages: p.messages.Reference(), Log: p.log,
		})
	})
	g.Go(func() error { return p.grains.Run(ctx) })
	g.Go(func() error { p.tidy(ctx); return nil })
	g.Go(func() error {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 12*time.Second)
		defer cancel()
		return errors.Join(p.gateway.Shutdown(ctx), p.admin.Shutdown(ctx))
	})
	err := g.Wait()
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // some streams had to be cut; that is not a failure
	}
	return err
}

// tidy removes what nobody needs any more, now and then.
func (p *program) tidy(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := p.apps.Tidy(ctx); err != nil && ctx.Err() == nil {
			p.log.Error("cannot remove unused packages", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (p *program) close() {
	closeAll(p.listeners)
	for path, sock := range map[string]net.Listener{
		adminSocket(p.cfg.DataDir): p.adminSock, control.DevSocket(p.cfg.DataDir): p.devSock,
	} {
		if sock != nil {
			sock.Close()
			os.Remove(path)
		}
	}
	if p.store != nil {
		if err := p.store.Close(); err != nil {
			p.log.Error("cannot close the store", "err", err)
		}
	}
	if p.host != nil {
		p.host.Close()
	}
	p.lock.Close()
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
