package rootfs

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// installers are packages that others depend on for being installed, which
// nobody does here. Named in the list they are taken all the same.
var installers = []string{
	"adduser", "debconf", "debconf-2.0", "dpkg", "init-system-helpers", "install-info",
	"libdebconfclient0", "lsb-base", "systemd", "sysvinit-utils", "ucf", "update-inetd",
}

const maxClosure = 3000 // packages

// resolve turns names into packages, with @depends also those that they depend
// on. What a list names comes first, in its order.
func (a *apt) resolve(ctx context.Context, entries []selected, closure bool) ([]*record, error) {
	var ask []string
	for _, e := range entries {
		ask = append(ask, e.key())
	}
	if err := a.lookup(ctx, ask); err != nil {
		return nil, err
	}
	var records []*record
	for _, e := range entries {
		r := a.known[e.key()]
		if r == nil {
			return nil, lineError{e.line, fmt.Errorf("apt knows no package %s; is the name right for this release, and 'apt-get update' recent?", e.key())}
		}
		records = append(records, r)
	}
	if !closure {
		return records, nil
	}
	have := map[string]bool{}
	for _, r := range records {
		have[r.name] = true
	}
	for next := records; len(next) > 0; {
		found, err := a.needs(ctx, next, have)
		if err != nil {
			return nil, err
		}
		if records = append(records, found...); len(records) > maxClosure {
			return nil, fmt.Errorf("the packages depend on more than %d others", maxClosure)
		}
		next = found
	}
	return records, nil
}

func (e selected) key() string {
	if e.version != "" {
		return e.name + "=" + e.version
	}
	return e.name
}

// needs returns the packages that some depend on directly and that are not
// there yet.
func (a *apt) needs(ctx context.Context, of []*record, have map[string]bool) ([]*record, error) {
	var ask []string
	for _, r := range of {
		for _, clause := range parseDepends(r.depends) {
			ask = append(ask, clause...)
		}
	}
	if err := a.lookup(ctx, ask); err != nil {
		return nil, err
	}
	var found []*record
	for _, r := range of {
		for _, clause := range parseDepends(r.depends) {
			if slices.ContainsFunc(clause, func(n string) bool { return have[n] || slices.Contains(installers, n) }) {
				continue
			}
			pick, err := a.pick(ctx, clause, have)
			if err != nil {
				return nil, fmt.Errorf("%s depends on %s: %w", r.name, strings.Join(clause, " or "), err)
			}
			if pick != nil {
				have[pick.name] = true
				found = append(found, pick)
			}
		}
	}
	return found, nil
}

// pick chooses one of several packages that will do: the first that exists, or
// who provides it. It is nil if one is there already.
func (a *apt) pick(ctx context.Context, clause []string, have map[string]bool) (*record, error) {
	for _, name := range clause {
		if r := a.known[name]; r != nil {
			return r, nil
		}
	}
	for _, name := range clause {
		providers, err := a.providers(ctx, name)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(providers, func(p string) bool { return have[p] }) {
			return nil, nil
		}
		if err := a.lookup(ctx, providers); err != nil {
			return nil, err
		}
		for _, p := range providers {
			if r := a.known[p]; r != nil {
				return r, nil
			}
		}
	}
	return nil, fmt.Errorf("apt knows none of these; 'apt-get update' may help")
}

// providers returns who provides a virtual package, sorted.
func (a *apt) providers(ctx context.Context, name string) ([]string, error) {
	out, err := a.run(ctx, "", "apt-cache", "showpkg", name)
	if err != nil {
		return nil, err
	}
	_, list, _ := strings.Cut(out, "Reverse Provides:")
	var names []string
	for line := range strings.SplitSeq(list, "\n") {
		if f := strings.Fields(line); len(f) > 0 && debName.MatchString(f[0]) {
			names = append(names, f[0])
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// parseDepends reads "a (>= 1), b | c:any" (Debian policy, 7.1) as names. The
// versions are of no interest: there is only one release.
func parseDepends(s string) [][]string {
	var clauses [][]string
	for clause := range strings.SplitSeq(s, ",") {
		var names []string
		for alternative := range strings.SplitSeq(clause, "|") {
			name, _, _ := strings.Cut(strings.TrimSpace(alternative), " ")
			name, _, _ = strings.Cut(name, "(")
			name, _, _ = strings.Cut(name, ":")
			if debName.MatchString(name) {
				names = append(names, name)
			}
		}
		if names != nil {
			clauses = append(clauses, names)
		}
	}
	return clauses
}
