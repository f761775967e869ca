package shell

import "html/template"

// icons are our line icons: 24×24, drawn with the text's colour. Inline, so
// that they need no request and follow the theme.
var icons = map[string]string{
	"menu":     `<path d="M4 7h16M4 12h16M4 17h16"/>`,
	"grain":    `<path d="M7 3h7l5 5v13H7a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z"/><path d="M14 3v5h5"/>`,
	"apps":     `<rect x="4" y="4" width="6.5" height="6.5" rx="1.5"/><rect x="13.5" y="4" width="6.5" height="6.5" rx="1.5"/><rect x="4" y="13.5" width="6.5" height="6.5" rx="1.5"/><rect x="13.5" y="13.5" width="6.5" height="6.5" rx="1.5"/>`,
	"search":   `<circle cx="11" cy="11" r="6.5"/><path d="m20 20-4.3-4.3"/>`,
	"trash":    `<path d="M4 7h16M9.5 7V4.500h5V7M6.5 7l.8 12a1.5 1.5 0 0 0 1.5 1.400h6.400a1.5 1.5 0 0 0 1.5-1.400l.8-12M10 11v5.500M14 11v5.5"/>`,
	"restore":  `<path d="M4 12a8 8 0 1 0 2.6-5.900L4 8.5"/><path d="M4 4v4.500h4.5"/>`,
	"restart":  `<path d="M20 12a8 8 0 1 1-2.6-5.900L20 8.5"/><path d="M20 4v4.500h-4.5"/>`,
	"log":      `<rect x="3.5" y="4.5" width="17" height="15" rx="2"/><path d="m7.5 9 3 3-3 3M12.5 15h4"/>`,
	"edit":     `<path d="M4 20h4L19.3 8.700a1.8 1.8 0 0 0 0-2.500l-1.5-1.500a1.8 1.8 0 0 0-2.5 0L4 16z"/><path d="m13.5 6.5 4 4"/>`,
	"more":     `<circle cx="5.5" cy="12" r="1.1"/><circle cx="12" cy="12" r="1.1"/><circle cx="18.5" cy="12" r="1.1"/>`,
	"plus":     `<path d="M12 5v14M5 12h14"/>`,
	"close":    `<path d="m6 6 12 12M18 6 6 18"/>`,
	"check":    `<path d="m5 12.5 4.5 4.500L19 7.5"/>`,
	"upload":   `<path d="M12 16V4.500M7 9l5-4.500L17 9M4 15v3.500A1.5 1.5 0 0 0 5.5 20h13a1.5 1.5 0 0 0 1.5-1.500V15"/>`,
	"link":     `<path d="M10 14a4 4 0 0 0 5.7 0l3.1-3.100a4 4 0 0 0-5.7-5.700l-1 1"/><path d="M14 10a4 4 0 0 0-5.7 0l-3.1 3.100a4 4 0 0 0 5.7 5.700l1-1"/>`,
	"external": `<path d="M14 4h6v6M20 4l-9 9M18 14v4.500a1.5 1.5 0 0 1-1.5 1.500h-11A1.5 1.5 0 0 1 4 18.500v-11A1.5 1.5 0 0 1 5.5 6H10"/>`,
	"back":     `<path d="M19 12H5M11 6l-6 6 6 6"/>`,
	"next":     `<path d="m9.5 6 6 6-6 6"/>`,
	"up":       `<path d="m6 14.5 6-6 6 6"/>`,
	"down":     `<path d="m6 9.5 6 6 6-6"/>`,
	"mail":     `<rect x="3.5" y="5.5" width="17" height="13" rx="2"/><path d="m4 7.5 8 6 8-6"/>`,
	"key":      `<circle cx="8" cy="15.5" r="4"/><path d="M11 12.5 19.5 4M16 7.500l2.5 2.5"/>`,
	"server":   `<rect x="4" y="4.5" width="16" height="6.5" rx="1.5"/><rect x="4" y="13" width="16" height="6.5" rx="1.5"/><path d="M7.5 7.750h.01M7.5 16.250h.01"/>`,
	"person":   `<circle cx="12" cy="8.5" r="4"/><path d="M4.5 20a7.5 7.5 0 0 1 15 0"/>`,
	"info":     `<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 8h.01"/>`,
	"warning":  `<path d="M12 4 2.8 19.500h18.400z"/><path d="M12 10v4.500M12 17h.01"/>`,
	"signout":  `<path d="M10 4H6a1.5 1.5 0 0 0-1.5 1.500v13A1.5 1.5 0 0 0 6 20h4M15 8l4 4-4 4M19 12H9.5"/>`,
	"palette":  `<circle cx="12" cy="12" r="8.5"/><path d="M12 3.500v17a8.5 8.5 0 0 0 0-17z" fill="currentColor"/>`,
	"dev":      `<path d="m8 7-5 5 5 5M16 7l5 5-5 5"/>`,
	"box":      `<path d="m12 3 8 4.300v9.400L12 21l-8-4.300V7.300z"/><path d="m4.3 7.5 7.7 4.200 7.7-4.200M12 11.700V21"/>`,
}

// icon is an inline icon. It is decoration: what it means is said in words
// beside it.
func icon(name string) template.HTML {
	return template.HTML(`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round">` + icons[name] + `</svg>`)
}
