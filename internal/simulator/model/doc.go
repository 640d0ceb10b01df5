// Package model is the interface of Systems Manager as data: which operations
// there are, what their requests and answers are made of, and what the service
// demands of each value.
//
// The data is ssm.txt, one fact a line, in the terms of the public API model
// 2014-11-06 and of later members of its SDKs:
//
//	operation NAME REQUEST ANSWER ERROR...     - where there is no shape
//	structure NAME                             its members follow
//	union NAME                                 the same, of which one is given
//	  MEMBER SHAPE [required]
//	list NAME ELEMENT [MIN..MAX]               MIN or MAX may be absent
//	map NAME KEY VALUE [MIN..MAX]
//	integer|long NAME [MIN..MAX]
//	string NAME [MIN..MAX] [enum A|B|C] [pattern REGULAR EXPRESSION]
//
// string, integer, long, boolean, timestamp and blob are shapes without
// constraints. Members stand in the order and the spelling of the wire. Every
// error is answered with status 400, InternalServerError with 500.
//
// It imports nothing of ours, and never the SDK: the simulator must disagree with
// its clients when they are wrong.
package model
