package server

import (
	"context"
	"encoding/json"
	"os"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
	"github.com/sandstorm-go/sandstorm/internal/host/wire"
)

// handler performs one operation.
type handler func(context.Context, *request) (reply, error)

// operations are what clients can ask for.
func (s *server) operations() map[string]handler {
	return map[string]handler{
		wire.OpInstall: s.handleInstall,
		wire.OpRemove: handle(func(ctx context.Context, p wire.PackageParams) (any, error) {
			return wire.Empty{}, s.removePackage(ctx, p.Package)
		}),
		wire.OpPackage: handle(func(_ context.Context, p wire.PackageParams) (any, error) {
			return s.packages.Get(p.Package)
		}),
		wire.OpCreate: handle(func(ctx context.Context, p host.Lease) (any, error) {
			return wire.Empty{}, s.createGrain(ctx, p)
		}),
		wire.OpStart: handle(func(ctx context.Context, p host.StartRequest) (any, error) {
			return s.startGrain(ctx, p)
		}),
		wire.OpStop: handle(func(ctx context.Context, p host.Lease) (any, error) {
			return wire.Empty{}, s.stopGrain(ctx, p)
		}),
		wire.OpDelete: handle(func(ctx context.Context, p host.Lease) (any, error) {
			return wire.Empty{}, s.deleteGrain(ctx, p)
		}),
		wire.OpGrains: handle(func(context.Context, wire.Empty) (any, error) {
			return s.listGrains(), nil
		}),
		wire.OpGrainSize: handle(func(ctx context.Context, p wire.GrainParams) (any, error) {
			size, err := s.grainSize(ctx, p.Grain)
			return wire.SizeResult{Bytes: size}, err
		}),
		wire.OpInfo: handle(func(context.Context, wire.Empty) (any, error) {
			return s.info(), nil
		}),
		wire.OpShutdown: handle(func(ctx context.Context, p wire.ShutdownParams) (any, error) {
			return wire.Empty{}, s.shutdown(ctx, p.StopGrains)
		}),
		wire.OpDev:       s.handleDev,
		wire.OpDevUpdate: s.handleDevUpdate,

		wire.OpDial:  s.handleDial,
		wire.OpLog:   s.handleLog,
		wire.OpWatch: s.handleWatch,
	}
}

// handle makes a handler of an operation without files.
func handle[P any](do func(context.Context, P) (any, error)) handler {
	return func(ctx context.Context, r *request) (reply, error) {
		var p P
		if err := r.decode(&p); err != nil {
			return reply{}, err
		}
		result, err := do(ctx, p)
		return reply{result: result}, err
	}
}

func (s *server) handleDial(ctx context.Context, r *request) (reply, error) {
	var p wire.DialParams
	if err := r.decode(&p); err != nil {
		return reply{}, err
	}
	f, err := s.dialGrain(ctx, p)
	if err != nil {
		return reply{}, err
	}
	return reply{result: wire.Empty{}, files: []*os.File{f}}, nil
}

func (s *server) handleLog(_ context.Context, r *request) (reply, error) {
	var p wire.LogParams
	if err := r.decode(&p); err != nil {
		return reply{}, err
	}
	f, err := s.grainLog(p)
	if err != nil {
		return reply{}, err
	}
	return reply{result: wire.Empty{}, files: []*os.File{f}}, nil
}

// handleWatch sends events until the caller gives up or is too slow. The first
// news, without an event, says that none is missed from now on.
func (s *server) handleWatch(ctx context.Context, r *request) (reply, error) {
	w := s.events.watch()
	defer s.events.unwatch(w)
	if err := r.tell(&wire.Message{Progress: json.RawMessage(`{}`)}); err != nil {
		return reply{}, err
	}
	for {
		select {
		case e, ok := <-w.queue:
			if !ok {
				return reply{}, sandstorm.Errorf(sandstorm.Exhausted, "host.events", "events were not read in time")
			}
			data, err := json.Marshal(e)
			if err != nil {
				return reply{}, err
			}
			if err := r.tell(&wire.Message{Event: data}); err != nil {
				return reply{}, err
			}
		case <-ctx.Done():
			return reply{}, context.Cause(ctx)
		}
	}
}
