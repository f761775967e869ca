//go:build linux

package main

import (
	"context"
	"flag"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/bridge"
	"github.com/sandstorm-go/sandstorm/internal/gateway"
)

const baseHost = "bench.test"

// sessionID is the session that the load holds.
var sessionID = func() sandstorm.SessionID {
	id, _ := sandstorm.ParseSessionID(strings.Repeat("0123456789abcdef", 4))
	return id
}()

func sessionHost() string { return "ui-" + string(sessionID.HostID()) + "." + baseHost }

// oneSession is a gateway.SessionSource with one open session, as the rules of
// grains hold it: behind a map look-up.
type oneSession map[sandstorm.HostID]gateway.OpenSession

// Open implements gateway.SessionSource.
func (s oneSession) Open(_ context.Context, host sandstorm.HostID) (gateway.OpenSession, error) {
	open, ok := s[host]
	if !ok {
		return open, sandstorm.Errorf(sandstorm.NotFound, "session.ended", "no session")
	}
	return open, nil
}

// runOurs is the gateway: the same code as in the server, with one session.
func runOurs(args []string) error {
	flags := flag.NewFlagSet("ours", flag.ContinueOnError)
	app := flags.String("app", "", "address of the app")
	plain := flags.String("plain", "", "address to listen on")
	secure := flags.String("tls", "", "address to listen on with TLS")
	cert := flags.String("cert", "", "certificate file")
	key := flags.String("key", "", "key file")
	profile := flags.String("profile", "", "write a CPU profile of the third second on to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	source := oneSession{sessionID.HostID(): {
		App: bridge.NewApp(bridge.AppOptions{Dial: func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", *app)
		}}),
		Bridge: &bridge.Session{
			UserID: strings.Repeat("0a", 16), Username: "Ann Example", TabID: string(sessionID.TabID()),
			Permissions: []string{"view", "edit"}, Handle: "ann", ID: "0", BasePath: "http://" + sessionHost(),
		},
	}}
	gw, err := gateway.New(gateway.Options{
		BaseURL: "http://" + baseHost, WildcardHost: "*." + baseHost, Shell: http.NotFoundHandler(), Sessions: source,
	})
	if err != nil {
		return err
	}
	certs, err := gateway.LoadCertificates([]gateway.KeyPair{{Cert: *cert, Key: *key}}, nil)
	if err != nil {
		return err
	}
	if *profile != "" {
		go writeProfile(*profile)
	}
	srv := gateway.NewServer(gw)
	errs := make(chan error, 2)
	for addr, tls := range map[string]*gateway.Certificates{*plain: nil, *secure: certs} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		go func() { errs <- srv.Serve(gateway.Listener{Listener: l, TLS: tls}) }()
	}
	return <-errs
}

func writeProfile(name string) {
	f, err := os.Create(name)
	if err != nil {
		return
	}
	defer f.Close()
	time.Sleep(3 * time.Second)
	if pprof.StartCPUProfile(f) == nil {
		time.Sleep(10 * time.Second)
		pprof.StopCPUProfile()
	}
}
