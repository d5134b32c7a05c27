// SPDX-License-Identifier: Apache-2.0
#pragma once

// HTTP/1 for the model's programs: what a request and its answer are to be, how both are written, and a
// reader of its own. Bodies are known byte by byte from the request's number and the position, so a byte
// that is lost, doubled or from elsewhere shows at once.

#include "tests/sim/sim.h"

enum sim_framing {
	SIM_NO_BODY,
	SIM_LENGTH,
	SIM_CHUNKED,
	SIM_UNTIL_CLOSE,
	SIM_TUNNEL,
	SIM_MALFORMED,
};

enum sim_closing {
	SIM_KEEPS,
	SIM_SAYS_CLOSE,	     // Connection: close, then FIN
	SIM_CLOSES_SILENTLY, // FIN after the response without a word, at once or a little later
	SIM_CRASHES,	     // a reset, somewhere in the response
};

enum sim_outcome {
	SIM_OPEN,
	SIM_ANSWERED, // by the endpoint, whole
	SIM_REFUSED,  // by the node
	SIM_LOST,     // reset or closed without a whole answer
};

struct sim_text {
	uint8_t *data;
	uint32_t len;
	uint32_t size;
};

struct sim_client_conn;
struct sim_server_conn;

// A request, what is planned for it, and how far it has come. Lives as long as the world.
struct sim_request {
	uint32_t id;
	char set; // first letter of the path: the endpoints that it is meant for
	const char *method;
	uint8_t minor;
	bool keep_old; // HTTP/1.0 with keep-alive
	bool says_close;
	bool expects;
	bool half_close;
	bool upgrades;
	bool safe; // may be sent to two endpoints
	uint32_t head_padding;
	enum sim_framing framing;
	uint32_t body_len;
	bool trailers;
	uint16_t empty_line; // bytes of an empty line before the head: 0 or 2

	uint16_t status;
	enum sim_framing response_framing;
	uint32_t response_len;
	bool response_trailers;
	uint8_t n_info; // 1xx responses before
	bool early;	// answered before its body has been read
	bool garbage;
	bool unasked; // its endpoint sends another answer behind it
	enum sim_closing closing;
	uint32_t crash_at; // bytes of the response
	uint32_t delay_us;
	uint32_t pace; // bytes at once; 0: all

	// The client's side.
	struct sim_client_conn *client;
	uint64_t asked_us;
	uint32_t body_at; // where the body begins in the client's stream
	uint32_t body_wire_len;
	uint32_t
		response_seen; // bytes of the response's body, with its framing, that arrived in order
	uint32_t response_seq; // where it begins, in the client's sequence space
	bool response_begun;   // at the client
	enum sim_outcome outcome;

	// The node's side.
	uint32_t n_routed;
	struct sim_text routed; // the head as the node read it
	bool edits_request, edits_response;
	bool node_answers;

	// The endpoint's side.
	struct sim_server_conn *server;
	uint32_t n_arrived;
	uint32_t body_seen; // like response_seen
	uint32_t body_seq;
	bool body_done;
	uint32_t response_at; // where the final response's body begins in the endpoint's stream
	bool response_sent_head;
	struct sim_text response_head;
};

void sim_text_add(struct sim_text *text, const void *data, uint32_t len);
void sim_text_print(struct sim_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void sim_text_free(struct sim_text *text);

// The byte at an offset of a request's (direction 0) or response's (1) body.
uint8_t sim_body_byte(uint32_t id, uint32_t direction, uint32_t offset);

struct sim_request *sim_request_new(struct sim *sim);
// The same once more, under a new number.
struct sim_request *sim_request_again(struct sim *sim, const struct sim_request *old);

// Append a whole message. at: where the body begins in the text, and where it ends.
void sim_http_write_request(struct sim *sim, const struct sim_request *request,
	struct sim_text *out, uint32_t *body_at);
void sim_http_write_response(struct sim *sim, struct sim_request *request, uint32_t endpoint,
	struct sim_text *out, uint32_t *head_at, uint32_t *body_at);

// Finds a field's value; returns its length, or -1. Names in lower case.
int sim_http_field(const uint8_t *head, uint32_t len, const char *name, const uint8_t **value);
// A field's number, or fallback.
uint32_t sim_http_number(const uint8_t *head, uint32_t len, const char *name, uint32_t fallback);
bool sim_http_has(const uint8_t *head, uint32_t len, const char *name, const char *value);

enum sim_reading {
	SIM_READ_HEAD,
	SIM_READ_BODY, // left bytes
	SIM_READ_SIZE,
	SIM_READ_CHUNK,
	SIM_READ_CHUNK_END,
	SIM_READ_TRAILER,
	SIM_READ_REST,
	SIM_READ_BROKEN,
};

struct sim_reader;

struct sim_reader_program {
	// A whole head; says what follows it, with *len for SIM_LENGTH.
	enum sim_framing (*head)(void *ctx, const uint8_t *head, uint32_t head_len, uint32_t *len);
	void (*body)(void *ctx, const uint8_t *data, uint32_t len);
	void (*end)(void *ctx);
	// Each run of bytes behind the head up to the message's end, framing included.
	void (*wire)(void *ctx, uint32_t len);
	void (*malformed)(void *ctx);
	const char *begins; // what every head begins with; NULL: anything
};

struct sim_reader {
	const struct sim_reader_program *program;
	void *ctx;
	enum sim_reading state;
	struct sim_text line; // head, size line or trailer line so far
	uint32_t left;
	uint32_t n_read;
	uint32_t head_end; // of the stream's bytes, where the last head ended
	bool stopped;	   // by the program: the rest is not looked at
};

void sim_reader_feed(struct sim_reader *reader, const uint8_t *data, uint32_t len);
