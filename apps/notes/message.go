package main

// message is what goes over the WebSocket to a browser; which fields are set
// depends on Type.
//
//	hello   the whole note, for a page that is new or was away too long
//	resume  the changes that a page missed
//	op      a change, sent to everybody including its maker
//	people  who is here
//	cursor  where somebody's caret is
//	refused the page's change could not be taken; Reason says why
type message struct {
	Type     string    `json:"t"`
	Revision int       `json:"rev"`
	You      string    `json:"you,omitempty"`
	CanEdit  bool      `json:"canEdit,omitempty"`
	Text     *string   `json:"text,omitempty"`
	Changes  []message `json:"changes,omitempty"`
	By       string    `json:"by,omitempty"`
	Seq      int       `json:"seq,omitempty"`
	Op       Op        `json:"op,omitempty"`
	People   []person  `json:"people,omitempty"`
	At       *span     `json:"at,omitempty"`
	Reason   string    `json:"reason,omitempty"`
}

// request is what a browser sends: a change ("op") or its caret ("cursor").
type request struct {
	Type     string `json:"t"`
	Revision int    `json:"rev"`
	Seq      int    `json:"seq"`
	Op       Op     `json:"op"`
	At       span   `json:"at"`
}

// person is one open tab as others see it.
type person struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	CanEdit bool   `json:"canEdit"`
	At      *span  `json:"at,omitempty"`
}

// span is a selection, in UTF-16 units; both ends are equal for a caret.
type span [2]int

func (s *span) move(o Op) {
	s[0], s[1] = o.movePosition(s[0]), o.movePosition(s[1])
}

func (s *span) clone() *span {
	if s == nil {
		return nil
	}
	c := *s
	return &c
}

func (s span) valid() bool {
	return s[0] >= 0 && s[1] >= 0 && s[0] <= maxText && s[1] <= maxText
}

func changeMessage(c change, rev int) message {
	return message{Type: "op", Revision: rev, By: c.By, Seq: c.Seq, Op: c.Op}
}
