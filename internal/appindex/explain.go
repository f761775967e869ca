package appindex

// Explain says in words what a status means for the author and what can be done
// next. It has no line break but those in the index's own text.
func (s *Status) Explain() string {
	switch s.Verdict {
	case NotUploaded:
		return "The index does not have this package."
	case Pending:
		switch s.Requested {
		case Ignore:
			return "The package is withdrawn. It was neither reviewed nor listed."
		case Review:
			return "The package waits for its review. It will not be listed before you publish it without --embargo."
		}
		return "The package waits for its review and will be listed once it is approved. " +
			"The index writes to the contact address in the package if something is missing."
	case NeedsUpdate:
		if s.Requested == Ignore {
			return "The package is withdrawn. A new one should first mend what its review found: " + s.Text
		}
		return "The review found something to mend. Please change this and submit a package with a higher appVersion: " + s.Text
	}
	where := ""
	if s.Text != "" {
		where = " at " + s.Text
	}
	switch s.Requested {
	case Ignore:
		return "The package is withdrawn. It is approved: publish it again whenever you like."
	case Review:
		return "The package is approved. Publish it without --embargo to list it" + where + "."
	}
	return "The package is approved and listed" + where + "."
}
