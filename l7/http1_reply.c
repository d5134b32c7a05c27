// SPDX-License-Identifier: Apache-2.0

#include "l7/http1_reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	uint16_t status;
	const char *phrase;
} PHRASES[] = {
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{301, "Moved Permanently"},
	{302, "Found"},
	{303, "See Other"},
	{304, "Not Modified"},
	{307, "Temporary Redirect"},
	{308, "Permanent Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{410, "Gone"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{417, "Expectation Failed"},
	{421, "Misdirected Request"},
	{426, "Upgrade Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

// The phrase means nothing to a client (RFC 9112 §4), so an empty one does for the rest.
static const char *find_phrase(uint16_t status)
{
	for (size_t i = 0; i < sizeof(PHRASES) / sizeof(PHRASES[0]); i++)
		if (PHRASES[i].status == status)
			return PHRASES[i].phrase;
	return "";
}

// RFC 9110 §15.5.6.
static const char *allow_of(const struct http1_reply *reply)
{
	if (reply->status != 405)
		return "";
	if (reply->method == HTTP1_CONNECT)
		return "allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, PATCH\r\n";
	return "allow:\r\n";
}

static uint8_t *put(uint8_t *out, const void *bytes, uint32_t len)
{
	if (len > 0)
		memcpy(out, bytes, len);
	return out + len;
}

static const char *before_location(const struct http1_reply *reply)
{
	if (reply->location == NULL)
		return "";
	// RFC 3986 §3.3; '\\' is '/' to browsers.
	return reply->location_len > 1 && (reply->location[1] == '/' || reply->location[1] == '\\')
		       ? "location: /."
		       : "location: ";
}

int http1_reply_write(const struct http1_reply *reply, uint8_t *out, uint32_t out_len)
{
	// RFC 9110 §8.6: no length for 204; in a 304 it would speak of a body that is elsewhere.
	const bool may_have_body = reply->status != 204 && reply->status != 304;
	uint32_t body_len = may_have_body ? reply->body_len : 0;
	const uint32_t location_len = reply->location == NULL ? 0 : reply->location_len;
	const char *end = reply->location == NULL ? "\r\n" : "\r\n\r\n";
	char head[384], length[64] = "";
	uint8_t *at;
	uint32_t len;

	if (may_have_body)
		snprintf(length, sizeof(length), "content-length: %u\r\n", body_len);
	len = (uint32_t)snprintf(head, sizeof(head), "HTTP/1.1 %u %s\r\n%s%s%s%s%s%s%s%s",
		reply->status, find_phrase(reply->status),
		reply->date == NULL ? "" : "date: ", reply->date == NULL ? "" : reply->date,
		reply->date == NULL ? "" : "\r\n", allow_of(reply), length,
		body_len > 0 ? "content-type: text/plain\r\n" : "",
		reply->connection == HTTP1_REPLY_CLOSE ? "connection: close\r\n" : "",
		before_location(reply));
	if (reply->method == HTTP1_HEAD)
		body_len = 0;
	if ((uint64_t)len + location_len + strlen(end) + body_len > out_len)
		return -E2BIG;
	at = put(out, head, len);
	at = put(at, reply->location, location_len);
	at = put(at, end, (uint32_t)strlen(end));
	at = put(at, reply->body, body_len);
	return (int)(at - out);
}
