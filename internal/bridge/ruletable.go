package bridge

// ruleTable finds rules by field name in any letter case, without allocation:
// both directions of every request look up each of their fields.
type ruleTable[R any] struct {
	byLength [maxRuleName + 1][]namedRule[R]
}

type namedRule[R any] struct {
	name string // lower case
	rule R
}

// maxRuleName is the longest name in the tables.
const maxRuleName = 32

func newRuleTable[R any](rules map[string]R) *ruleTable[R] {
	t := &ruleTable[R]{}
	for name, rule := range rules {
		t.byLength[len(name)] = append(t.byLength[len(name)], namedRule[R]{name, rule})
	}
	return t
}

func (t *ruleTable[R]) find(name string) (rule R, ok bool) {
	if len(name) >= len(t.byLength) {
		return rule, false
	}
	list := t.byLength[len(name)]
	for i := range list {
		if isLowerOf(list[i].name, name) {
			return list[i].rule, true
		}
	}
	return rule, false
}

// isLowerOf reports whether lower is the lower-case form of name; they have the
// same length.
func isLowerOf(lower, name string) bool {
	for i := range len(name) {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
