// SPDX-License-Identifier: Apache-2.0

// Years begin in March here, so that a leap day is the last of its year, and the months before it repeat every five
// with 153 days.

#include "l7/http1_date.h"

#include <stdio.h>

enum {
	DAY_S = 24 * 60 * 60,
	DAYS_OF_400_YEARS = 146097,
	DAYS_OF_100_YEARS = 36524, // the last of four has one more
	DAYS_OF_4_YEARS = 1461,	   // the last of 25 has one less
	DAYS_OF_5_MONTHS = 153,
	FIRST_DAY = 719468,  // from 1 March of year 0 to 1970
	FIRST_WEEKDAY = 4,   // 1970 began with a Thursday
	MONTHS_TO_MARCH = 2, // where a year that begins in March has begun
};

struct day {
	uint32_t year;
	uint32_t month; // 0: January
	uint32_t day;	// from 1 on
};

static struct day find_day(uint32_t unix_days)
{
	uint32_t days = unix_days + FIRST_DAY;
	uint32_t in_400 = days % DAYS_OF_400_YEARS;
	// Without leap days, years are of one length.
	uint32_t year = (in_400 - in_400 / (DAYS_OF_4_YEARS - 1) + in_400 / DAYS_OF_100_YEARS -
				in_400 / (DAYS_OF_400_YEARS - 1)) /
			365;
	uint32_t in_year = in_400 - (365 * year + year / 4 - year / 100);
	uint32_t month = (5 * in_year + 2) / DAYS_OF_5_MONTHS;

	return (struct day){
		.year = year + days / DAYS_OF_400_YEARS * 400 + (month + MONTHS_TO_MARCH >= 12),
		.month = (month + MONTHS_TO_MARCH) % 12,
		.day = in_year - (DAYS_OF_5_MONTHS * month + 2) / 5 + 1,
	};
}

void http1_date_write(uint64_t unix_s, char text[HTTP1_DATE_LEN + 1])
{
	static const char WEEKDAYS[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char MONTHS[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	uint32_t days = (uint32_t)(unix_s / DAY_S), in_day = (uint32_t)(unix_s % DAY_S);
	struct day day = find_day(days);

	snprintf(text, HTTP1_DATE_LEN + 1, "%s, %02u %s %04u %02u:%02u:%02u GMT",
		WEEKDAYS[(days + FIRST_WEEKDAY) % 7], day.day, MONTHS[day.month], day.year % 10000,
		in_day / 3600, in_day / 60 % 60, in_day % 60);
}
