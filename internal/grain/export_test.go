package grain

// StopIdleForTest runs the idle check now.
var StopIdleForTest = (*Manager).stopIdle

// PurgeForTest deletes one grain as if the list of old trash had named it.
var PurgeForTest = (*Manager).purge

// TidyForTest does now what can wait.
var TidyForTest = (*Manager).tidy
