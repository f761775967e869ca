// Stands for the import of whole histories. Such a file says who wrote what, and
// anybody could say anything about the others: the text of it can be imported,
// not the rest.
"use strict";

exports.setPadRaw = async () => {
	throw new Error("histories are not imported");
};
