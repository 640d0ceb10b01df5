package wire

import (
	"fmt"
	"testing"
)

var sizes = []int{64, 1024, 16384}

func benchMessage(size int) *Message {
	return &Message{Type: InputStreamData, Created: 1503434274948, Seq: 123456, ID: NewUUID(), PayloadType: PayloadOutput, Payload: make([]byte, size)}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			m, buf := benchMessage(size), make([]byte, 0, size+HeaderSize)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Append(buf, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			frame, _ := Append(nil, benchMessage(size))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	frame, _ := Append(nil, benchMessage(1024))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendAck(b *testing.B) {
	a, buf := Ack{MessageType: OutputStreamData, MessageID: NewUUID(), Seq: 123456}, make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		AppendAck(buf, a)
	}
}

func BenchmarkParseAck(b *testing.B) {
	ack := AppendAck(nil, Ack{MessageType: OutputStreamData, MessageID: NewUUID(), Seq: 123456})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseAck(ack); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTheSteadyStateDoesNotAllocate(t *testing.T) {
	m := benchMessage(1024)
	frame, _ := Append(nil, m)
	service, _ := AppendService(nil, &Message{Type: StartPublication})
	a := Ack{MessageType: OutputStreamData, MessageID: NewUUID(), Seq: 123456}
	ack := AppendAck(nil, a)
	flag, size := AppendFlag(nil, TerminateSession), TerminalSize{Cols: 132, Rows: 43}
	buf := make([]byte, 0, 2048)
	for name, f := range map[string]func() bool{
		"Append":        func() bool { _, err := Append(buf, m); return err == nil },
		"AppendService": func() bool { _, err := AppendService(buf, m); return err == nil },
		"Decode":        func() bool { _, err := Decode(frame); return err == nil },
		"Decode (112)":  func() bool { _, err := Decode(service); return err == nil },
		"Parse":         func() bool { _, err := Parse(frame); return err == nil },
		"AppendAck":     func() bool { return len(AppendAck(buf, a)) > 0 },
		"ParseAck":      func() bool { _, err := ParseAck(ack); return err == nil },
		"ParseFlag":     func() bool { _, err := ParseFlag(flag); return err == nil },
		"AppendSize":    func() bool { return len(AppendSize(buf, size)) > 0 },
		"SupportsMux":   func() bool { return SupportsMux("3.3.1142.0") },
		"AgentUsesMux":  func() bool { return AgentUsesMux("1.2.764.0") },
		"damage is no garbage": func() bool {
			_, err := Decode(frame[:len(frame)-1])
			return err != nil
		},
	} {
		if n := testing.AllocsPerRun(1000, func() {
			if !f() {
				t.Errorf("%s failed", name)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
