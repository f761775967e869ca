package main

import (
	"context"
	"errors"
	"slices"
	"unicode/utf16"
)

// maxText bounds the note, in UTF-16 units: a page that long is a book.
const maxText = 1 << 20

var (
	errTooLong  = errors.New("the note is full")
	errReadOnly = errors.New("this visitor may only read")
	errRevision = errors.New("unknown revision")
)

// A pad is the note and who has it open. All state belongs to the goroutine
// in run, which puts changes into one order: it saves those that wait
// together with a single sync and only then tells anybody, so that what a
// person sees as saved is saved.
type pad struct {
	requests chan func(*batch)
	done     chan struct{}
	store    *store
	text     []uint16
	members  []*member
}

// A member is one open tab.
type member struct {
	key    string // secret of the tab, names it across reconnections
	public string // what others see in its place
	name   string
	edit   bool
	send   chan message
	gone   context.CancelFunc // ends the connection
	cursor *span              // belongs to the loop: messages get copies
	seen   int                // revision up to which it was told everything; -1 before its welcome
}

// batch is what one round of the loop has to save and to tell.
type batch struct {
	changes []change
	tell    []func()
}

func openPad(s *store, text []uint16) *pad {
	return &pad{requests: make(chan func(*batch), 64), done: make(chan struct{}), store: s, text: text}
}

// run serves requests until ctx ends or a change cannot be saved: then going
// on would only lose more, and the grain's next start shows what is on disk.
func (p *pad) run(ctx context.Context) error {
	defer close(p.done)
	for {
		var b batch
		select {
		case <-ctx.Done():
			return nil
		case f := <-p.requests:
			f(&b)
		}
	more:
		for range 255 {
			select {
			case f := <-p.requests:
				f(&b)
			default:
				break more
			}
		}
		if len(b.changes) > 0 {
			if err := p.store.append(b.changes); err != nil {
				return err
			}
		}
		for _, tell := range b.tell {
			tell()
		}
	}
}

// do runs f in the loop and waits for it.
func (p *pad) do(ctx context.Context, f func(*batch)) error {
	finished := make(chan struct{})
	select {
	case p.requests <- func(b *batch) { f(b); close(finished) }:
	case <-p.done:
		return context.Canceled
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-finished:
		return nil
	case <-p.done:
		return context.Canceled
	}
}

// join adds a member and sends it what it needs to catch up: the changes since
// revision rev, or the whole note. rev is negative for a fresh page.
func (p *pad) join(ctx context.Context, m *member, rev int) error {
	return p.do(ctx, func(b *batch) {
		// A tab that reconnects may come before its old connection ended.
		p.members = slices.DeleteFunc(p.members, func(o *member) bool {
			if o.key == m.key {
				o.gone()
			}
			return o.key == m.key
		})
		m.seen = -1
		p.members = append(p.members, m)
		b.tell = append(b.tell, func() {
			m.deliver(p.welcome(m, rev))
			m.seen = p.store.revision()
			p.tellPeople()
		})
	})
}

// welcome is made after the batch was saved, hence with all of its changes:
// later ones follow in order.
func (p *pad) welcome(m *member, rev int) message {
	hello := message{Type: "hello", You: m.public, CanEdit: m.edit, Revision: p.store.revision()}
	if missed, ok := p.store.since(rev); ok {
		hello.Type = "resume"
		for i, c := range missed {
			hello.Changes = append(hello.Changes, changeMessage(c, rev+i+1))
		}
		return hello
	}
	text := string(utf16.Decode(p.text))
	hello.Text = &text
	// Whether the page's last change arrived, though it is not told which
	// changes there were.
	for _, c := range p.store.ops {
		if c.By == m.public {
			hello.Seq = c.Seq
		}
	}
	return hello
}

func (p *pad) leave(m *member) {
	_ = p.do(context.Background(), func(b *batch) {
		before := len(p.members)
		p.members = slices.DeleteFunc(p.members, func(o *member) bool { return o == m })
		if len(p.members) != before {
			b.tell = append(b.tell, p.tellPeople)
		}
	})
}

// change applies a member's op, made on top of revision rev.
func (p *pad) change(ctx context.Context, m *member, rev, seq int, op Op) (err error) {
	doErr := p.do(ctx, func(b *batch) { err = p.changeNow(b, m, rev, seq, op) })
	return errors.Join(doErr, err)
}

func (p *pad) changeNow(b *batch, m *member, rev, seq int, op Op) error {
	if !m.edit {
		return errReadOnly
	}
	if slices.ContainsFunc(b.changes, func(c change) bool { return c.By == m.public && c.Seq == seq }) {
		return nil
	}
	saved, ok := p.store.since(rev)
	if !ok {
		return errRevision
	}
	for _, c := range saved {
		if c.By == m.public && c.Seq == seq {
			return nil // sent again after a lost connection; it had arrived
		}
	}
	for _, c := range slices.Concat(saved, b.changes) {
		var err error
		if _, op, err = transform(c.Op, op); err != nil {
			return err
		}
	}
	next, err := op.apply(p.text)
	if err != nil {
		return err
	}
	if len(next) > maxText && len(next) > len(p.text) {
		return errTooLong
	}
	p.text = next
	c := change{By: m.public, Seq: seq, Op: op}
	b.changes = append(b.changes, c)
	told := changeMessage(c, p.store.revision()+len(b.changes))
	b.tell = append(b.tell, func() {
		for _, o := range p.members {
			if o.cursor != nil {
				o.cursor.move(c.Op)
			}
			// One who joined in this very round got it with the welcome.
			if o.seen >= 0 && o.seen < told.Revision {
				o.deliver(told)
				o.seen = told.Revision
			}
		}
	})
	return nil
}

// point tells the others where a member's caret is.
func (p *pad) point(ctx context.Context, m *member, rev int, at span) error {
	return p.do(ctx, func(b *batch) {
		b.tell = append(b.tell, func() {
			missed, ok := p.store.since(rev)
			if !ok {
				return
			}
			for _, c := range missed {
				at.move(c.Op)
			}
			m.cursor = &at
			for _, o := range p.members {
				if o != m {
					o.deliver(message{Type: "cursor", By: m.public, Revision: p.store.revision(), At: at.clone()})
				}
			}
		})
	})
}

// snapshot returns the note as it is now.
func (p *pad) snapshot(ctx context.Context) (text string, err error) {
	err = p.do(ctx, func(*batch) { text = string(utf16.Decode(p.text)) })
	return text, err
}

func (p *pad) tellPeople() {
	list := make([]person, 0, len(p.members))
	for _, m := range p.members {
		list = append(list, person{ID: m.public, Name: m.name, CanEdit: m.edit, At: m.cursor.clone()})
	}
	for _, m := range p.members {
		m.deliver(message{Type: "people", People: list, Revision: p.store.revision()})
	}
}

// deliver queues a message. A member that does not read is cut off: it
// reconnects and catches up, and nobody else waits for it.
func (m *member) deliver(msg message) {
	select {
	case m.send <- msg:
	default:
		m.gone()
	}
}
