// SPDX-License-Identifier: Apache-2.0
#include "ctrl/admin/capture_session.h"

#include "ctrl/admin/reply.h"
#include "ctrl/ctrl.h"
#include "ctrl/log.h"
#include "pipeline/capture.h"

#include <event2/event.h>
#include <event2/http.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_pcapng.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	RING_SIZE = 4096,
	N_MBUFS = 4095,
	POLL_US = 5000,
	BURST = 64,
	MAX_BURSTS = 16, // of one poll: a millisecond or two
};

struct capture_session {
	struct ctrl *ctrl;
	struct reply *reply;
	struct event *timer;
	rte_pcapng_t *pcapng;
	char *file;
	uint32_t n_wanted; // 0: no limit
	uint64_t start_tsc;
	uint64_t start_ns; // since the epoch
	uint64_t end_tsc;
	uint64_t n_written;
	uint64_t n_lost_before;
	int error;     // errno of a failed write
	bool stopping; // workers have been told; what they had begun is still to come
};

static uint64_t n_lost(const struct ctrl *ctrl)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < ctrl->n_workers; i++)
		n += ctrl->workers[i]->n_capture_lost;
	return n;
}

static void set_ports(struct ctrl *ctrl, uint64_t ports)
{
	for (uint16_t i = 0; i < ctrl->n_workers; i++)
		atomic_store_explicit(
			&ctrl->workers[i]->capture_ports, ports, memory_order_release);
}

static void drop_leftovers(struct ctrl *ctrl)
{
	void *m;

	while (ctrl->capture_ring != NULL && rte_ring_dequeue(ctrl->capture_ring, &m) == 0)
		rte_pktmbuf_free(m);
}

static void destroy(void *arg)
{
	struct capture_session *session = arg;

	set_ports(session->ctrl, 0);
	if (session->ctrl->capture == session)
		session->ctrl->capture = NULL;
	if (session->timer != NULL)
		event_free(session->timer);
	if (session->pcapng != NULL)
		rte_pcapng_close(session->pcapng);
	free(session->file);
	free(session);
}

static void finish(struct capture_session *session)
{
	uint64_t lost = n_lost(session->ctrl) - session->n_lost_before;
	double seconds = (double)(rte_rdtsc() - session->start_tsc) / (double)rte_get_tsc_hz();
	struct reply *reply = session->reply;

	log_notice("capture: ended file=%s written=%ju lost=%ju", session->file,
		(uintmax_t)session->n_written, (uintmax_t)lost);
	if (session->error != 0)
		reply_error(reply, HTTP_INTERNAL, "%s: %s after %ju packets", session->file,
			strerror(session->error), (uintmax_t)session->n_written);
	else
		reply_json(reply,
			json_pack("{s:o, s:I, s:I, s:f}", "file", reply_string(session->file),
				"written", (json_int_t)session->n_written, "lost", (json_int_t)lost,
				"seconds", seconds));
	destroy(session);
}

static bool wants_more(const struct capture_session *session)
{
	return session->error == 0 &&
	       (session->n_wanted == 0 || session->n_written < session->n_wanted);
}

// From clocks to nanoseconds since the epoch. A worker may have read its clock a little before the start.
static void fix_time(const struct capture_session *session, struct rte_mbuf *m)
{
	int64_t tsc = (int64_t)(capture_time(m) - session->start_tsc);
	int64_t hz = (int64_t)rte_get_tsc_hz();
	int64_t ns = tsc / hz * 1000000000 + tsc % hz * 1000000000 / hz;

	capture_set_time(m, session->start_ns + (uint64_t)ns);
}

// Returns how many packets were in the ring for it.
static unsigned int write_burst(struct capture_session *session)
{
	struct rte_mbuf *pkts[BURST];
	unsigned int n_room = BURST;
	unsigned int n;

	if (session->n_wanted != 0 && session->n_wanted - session->n_written < n_room)
		n_room = (unsigned int)(session->n_wanted - session->n_written);
	n = rte_ring_dequeue_burst(session->ctrl->capture_ring, (void **)pkts, n_room, NULL);
	if (n == 0)
		return 0;
	for (unsigned int i = 0; i < n; i++)
		fix_time(session, pkts[i]);
	if (rte_pcapng_write_packets(session->pcapng, pkts, (uint16_t)n) < 0)
		session->error = errno == 0 ? EIO : errno;
	else
		session->n_written += n;
	rte_pktmbuf_free_bulk(pkts, n);
	return n;
}

static void poll_ring(evutil_socket_t fd, short what, void *arg)
{
	struct capture_session *session = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < MAX_BURSTS && wants_more(session); i++)
		if (write_burst(session) == 0)
			break;
	if (session->stopping) {
		drop_leftovers(session->ctrl);
		finish(session);
	} else if (!wants_more(session) || rte_rdtsc() >= session->end_tsc ||
		   reply_is_abandoned(session->reply)) {
		set_ports(session->ctrl, 0);
		session->stopping = true;
	}
}

// 0 or -errno.
static int make_buffers(struct ctrl *ctrl)
{
	if (ctrl->capture_ring == NULL)
		ctrl->capture_ring =
			rte_ring_create("capture", RING_SIZE, SOCKET_ID_ANY, RING_F_SC_DEQ);
	if (ctrl->capture_mbufs == NULL)
		ctrl->capture_mbufs = rte_pktmbuf_pool_create("capture", N_MBUFS, 0, 0,
			(uint16_t)rte_pcapng_mbuf_size(RTE_MBUF_DEFAULT_DATAROOM), SOCKET_ID_ANY);
	if (ctrl->capture_ring == NULL || ctrl->capture_mbufs == NULL)
		return -rte_errno;
	for (uint16_t i = 0; i < ctrl->n_workers; i++) {
		ctrl->workers[i]->capture_ring = ctrl->capture_ring;
		ctrl->workers[i]->capture_mbufs = ctrl->capture_mbufs;
	}
	return 0;
}

// An existing file stays: the node may write where its clients may not. 0 or -errno.
static int open_file(struct capture_session *session)
{
	int fd = open(session->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	int ret;

	if (fd < 0)
		return -errno;
	session->pcapng = rte_pcapng_fdopen(fd, NULL, NULL, "pergola " PERGOLA_VERSION, NULL);
	if (session->pcapng != NULL)
		return 0;
	ret = -rte_errno;
	close(fd);
	unlink(session->file);
	return ret == 0 ? -EIO : ret;
}

static struct capture_session *create(struct reply *reply, const struct capture_request *request)
{
	struct capture_session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	session->ctrl = reply->ctrl;
	session->reply = reply;
	session->n_wanted = request->n_packets;
	session->file = strdup(request->file);
	session->timer = event_new(reply->ctrl->base, -1, EV_PERSIST, poll_ring, session);
	if (session->file != NULL && session->timer != NULL)
		return session;
	destroy(session);
	return NULL;
}

static void begin(struct capture_session *session, const struct capture_request *request)
{
	const struct timeval period = {.tv_usec = POLL_US};
	struct ctrl *ctrl = session->ctrl;
	struct timespec now;

	drop_leftovers(ctrl);
	session->n_lost_before = n_lost(ctrl);
	clock_gettime(CLOCK_REALTIME, &now);
	session->start_tsc = rte_rdtsc();
	session->start_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	session->end_tsc = session->start_tsc + request->n_seconds * rte_get_tsc_hz();
	ctrl->capture = session;
	reply_defer(session->reply, destroy, session);
	event_add(session->timer, &period);
	set_ports(ctrl, request->ports);
	log_notice("capture: started file=%s ports=%jx packets=%u seconds=%u", session->file,
		(uintmax_t)request->ports, request->n_packets, request->n_seconds);
}

void capture_session_start(struct reply *reply, const struct capture_request *request)
{
	struct capture_session *session;
	int ret;

	if (reply->ctrl->capture != NULL) {
		reply_error(reply, 409, "another capture is running; try again when it has ended");
		return;
	}
	ret = make_buffers(reply->ctrl);
	if (ret != 0) {
		reply_error(reply, HTTP_SERVUNAVAIL,
			"no memory for capture buffers (%s); raise eal.memory_mb",
			rte_strerror(-ret));
		return;
	}
	session = create(reply, request);
	if (session == NULL) {
		reply_error(reply, HTTP_INTERNAL, "out of memory");
		return;
	}
	ret = open_file(session);
	if (ret != 0) {
		reply_error(reply, HTTP_BADREQUEST, "%s: %s", request->file, strerror(-ret));
		destroy(session);
		return;
	}
	begin(session, request);
}
