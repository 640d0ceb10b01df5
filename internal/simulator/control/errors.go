package control

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/ssmdeck/ssmdeck/internal/simulator/model"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// apiError is an error answer. Status 0 is 400, which JSON 1.1 services use for
// nearly everything.
type apiError struct {
	Status  int
	Code    string
	Message string
}

// Error returns "code: message".
func (e *apiError) Error() string { return e.Code + ": " + e.Message }

func invalid(message string) error {
	return &apiError{Code: "ValidationException", Message: message}
}

// asAPIError turns any error into an answer; what is not modelled is our own
// bug and answered as the service answers its own.
func asAPIError(err error) *apiError {
	var api *apiError
	var modelled *world.Error
	var refused *model.Refusal
	switch {
	case errors.As(err, &api):
		return api
	case errors.As(err, &refused):
		return &apiError{Code: refused.Code, Message: refused.Message}
	case errors.As(err, &modelled):
		return &apiError{Code: modelled.Code, Message: modelled.Message}
	}
	return &apiError{Status: http.StatusInternalServerError, Code: "InternalServerError", Message: err.Error()}
}

func errorCode(err error) string { return asAPIError(err).Code }

// fail writes an error in the form of JSON 1.1.
func (h *Handler) fail(w http.ResponseWriter, err error) {
	e := asAPIError(err)
	if e.Status == 0 {
		e.Status = http.StatusBadRequest
		if e.Code == "InternalServerError" {
			e.Status = http.StatusInternalServerError
		}
	}
	w.Header().Set("x-amzn-ErrorType", e.Code)
	writeJSON(w, e.Status, struct {
		Type    string `json:"__type"`
		Message string `json:"message,omitempty"`
	}{e.Code, e.Message})
}

// newRequestID returns a random version 4 UUID.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
