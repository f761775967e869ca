package grain

// StopIdleForTest runs the idle check now.
var StopIdleForTest = (*Manager).stopIdle
