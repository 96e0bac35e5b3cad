/* Publishes telemetry as fast as the broker takes it, for so little CPU that broker and subscriber are measured.
 *
 *   flood PORT STATIONS VALUES MESSAGES FIRST_MS INTERVAL_MS [history]
 *
 * Message n is of station n mod STATIONS (`b-0000` …), numbered, QoS 1:
 * {"seq":…,"boot":"f","ts":…,"values":{"P00":12.3,…}}. Four connections share the stations, each with at most WINDOW
 * messages unacknowledged. A real client library would cost as much as the broker, so the few MQTT packets needed are
 * written here by hand. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECTIONS = 4, WINDOW = 2000, BUFFER_BYTES = 1 << 18, PACKET_BYTES_MAX = 4096 };

struct connection {
    int socket;
    uint8_t *buffer;
    size_t from, to;      /* what is rendered and not written yet */
    long next, sent, acknowledged;
    size_t half;          /* bytes of a PUBACK seen so far */
};

static int station_count, value_count;
static const char *kind = "telemetry";
static long message_count;
static int64_t first_milliseconds, interval_milliseconds;
static int *levels; /* tenths, one per series */
static uint32_t noise = 2463534242u;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint32_t random_word(void) {
    noise ^= noise << 13;
    noise ^= noise >> 17;
    return noise ^= noise << 5;
}

static char *put_number(char *to, int64_t number) {
    char digits[20];
    int count = 0;
    do digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0) *to++ = digits[--count];
    return to;
}

static char *put_text(char *to, const char *text) {
    size_t length = strlen(text);
    memcpy(to, text, length);
    return to + length;
}

/* A walk of a tenth of a unit at a time, so that the values compress as measured ones do. */
static char *put_value(char *to, int series) {
    int level = levels[series] + (int)(random_word() % 11) - 5;
    if (level < 100 || level > 9000) level = levels[series];
    levels[series] = level;
    to = put_number(to, level / 10);
    *to++ = '.';
    *to++ = (char)('0' + level % 10);
    return to;
}

static char *put_payload(char *to, long number) {
    int station = (int)(number % station_count);
    int64_t round = number / station_count;
    to = put_number(put_text(to, "{\"seq\":"), round + 1);
    to = put_number(put_text(to, ",\"boot\":\"f\",\"ts\":"), first_milliseconds + round * interval_milliseconds);
    to = put_text(to, ",\"values\":{");
    for (int value = 0; value < value_count; value++) {
        if (value > 0) *to++ = ',';
        to = put_text(to, "\"P");
        *to++ = (char)('0' + value / 10);
        *to++ = (char)('0' + value % 10);
        to = put_value(put_text(to, "\":"), station * value_count + value);
    }
    return put_text(to, "}}");
}

/* Renders a whole PUBLISH packet behind `to`; the length before it always takes two bytes. */
static size_t put_packet(uint8_t *to, long number, uint16_t identifier) {
    char topic[64];
    int topic_bytes = snprintf(topic, sizeof topic, "quantrac/v1/b-%04d/%s", (int)(number % station_count), kind);
    uint8_t *body = to + 3;
    body[0] = 0, body[1] = (uint8_t)topic_bytes;
    memcpy(body + 2, topic, (size_t)topic_bytes);
    body += 2 + topic_bytes;
    *body++ = (uint8_t)(identifier >> 8), *body++ = (uint8_t)identifier;
    size_t length = (size_t)((uint8_t *)put_payload((char *)body, number) - (to + 3));
    to[0] = 0x32; /* PUBLISH, QoS 1 */
    to[1] = (uint8_t)(length & 0x7f) | 0x80, to[2] = (uint8_t)(length >> 7);
    return 3 + length;
}

static void open_connection(struct connection *link, int index, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    link->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(link->socket, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    /* CONNECT, MQTT 3.1.1, clean session, keep-alive 60 s, client id `flood-0` … */
    uint8_t hello[] = "\x10\x13\0\4MQTT\4\2\0\x3c\0\7flood-0";
    hello[sizeof hello - 2] = (uint8_t)('0' + index);
    uint8_t answer[4];
    if (write(link->socket, hello, sizeof hello - 1) != sizeof hello - 1) fail("CONNECT");
    if (recv(link->socket, answer, sizeof answer, MSG_WAITALL) != 4 || answer[3] != 0) fail("CONNACK");
    fcntl(link->socket, F_SETFL, O_NONBLOCK);
    link->buffer = malloc(BUFFER_BYTES);
    link->next = index;
}

static int is_done(const struct connection *link) {
    return link->next >= message_count && link->acknowledged == link->sent;
}

static int has_room(const struct connection *link) {
    return link->sent - link->acknowledged < WINDOW && link->to + PACKET_BYTES_MAX <= BUFFER_BYTES;
}

static void render(struct connection *link) {
    if (link->from == link->to) link->from = link->to = 0;
    while (link->next < message_count && has_room(link)) {
        /* Identifiers come round again long after their PUBACK. */
        link->to += put_packet(link->buffer + link->to, link->next, (uint16_t)(link->sent % 60000 + 1));
        link->sent += 1;
        link->next += CONNECTIONS;
    }
}

static void exchange(struct connection *link, short ready) {
    static uint8_t acknowledgements[1 << 16];
    if (ready & (POLLIN | POLLHUP | POLLERR)) {
        ssize_t count = read(link->socket, acknowledgements, sizeof acknowledgements);
        if (count == 0 || (count < 0 && errno != EAGAIN)) fail("the broker hung up");
        if (count > 0) {
            link->half += (size_t)count;
            link->acknowledged += (long)(link->half / 4);
            link->half %= 4;
        }
    }
    render(link);
    if (link->from < link->to) {
        ssize_t count = write(link->socket, link->buffer + link->from, link->to - link->from);
        if (count < 0 && errno != EAGAIN) fail("write");
        if (count > 0) link->from += (size_t)count;
    }
}

int main(int argc, char **argv) {
    if (argc != 7 && !(argc == 8 && strcmp(argv[7], "history") == 0)) return 2;
    if (argc == 8) kind = argv[7];
    station_count = atoi(argv[2]), value_count = atoi(argv[3]), message_count = atol(argv[4]);
    first_milliseconds = atoll(argv[5]), interval_milliseconds = atoll(argv[6]);
    if (station_count < CONNECTIONS || station_count % CONNECTIONS != 0 || value_count > 99) return 2;
    levels = malloc(sizeof(int) * (size_t)(station_count * value_count));
    for (int series = 0; series < station_count * value_count; series++) {
        levels[series] = 200 + (int)(random_word() % 4000);
    }
    struct connection links[CONNECTIONS] = {0};
    for (int index = 0; index < CONNECTIONS; index++) open_connection(&links[index], index, atoi(argv[1]));
    for (int open = CONNECTIONS; open > 0;) {
        struct pollfd polled[CONNECTIONS];
        open = 0;
        for (int index = 0; index < CONNECTIONS; index++) {
            int wants = !is_done(&links[index]);
            short events = POLLIN | (links[index].from < links[index].to || links[index].sent == 0 ? POLLOUT : 0);
            polled[index] = (struct pollfd){.fd = wants ? links[index].socket : -1, .events = events};
            open += wants;
        }
        if (open == 0) break;
        if (poll(polled, CONNECTIONS, 10000) == 0) fail("the broker does not acknowledge");
        for (int index = 0; index < CONNECTIONS; index++)
            if (polled[index].revents != 0) exchange(&links[index], polled[index].revents);
    }
    for (int index = 0; index < CONNECTIONS; index++) {
        if (write(links[index].socket, (uint8_t[]){0xe0, 0}, 2) != 2) fail("DISCONNECT");
        close(links[index].socket);
    }
    return 0;
}
