// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a client reads: is it the answer to what it asked, whole and in order?

#include "tests/sim/sim_client.h"

extern const struct sim_reader_program sim_answer_program;

// The connection ended. Bytes came though nothing was asked.
void sim_answer_eof(struct sim_client_conn *conn);
void sim_answer_unasked(struct sim_client_conn *conn);

// sim_client.c
void sim_client_answered(struct sim_client_conn *conn, bool closes);
void sim_client_write(struct sim_client_conn *conn);
