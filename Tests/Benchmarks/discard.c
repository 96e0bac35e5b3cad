/* The peer of the ingest rows: a subscriber that acknowledges everything and keeps nothing.
 *
 *   discard PORT COUNTER_FILE
 *
 * A persistent session, QoS 1, libmosquitto's own loop; PUBACKs leave at once. The number of messages so far stands in
 * the counter file as a 64-bit integer; at SIGTERM the CPU seconds used are printed. */
#include <fcntl.h>
#include <mosquitto.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static volatile uint64_t *counter;
static struct mosquitto *session;

static void connected(struct mosquitto *client, void *context, int code) {
    (void)context;
    if (code == 0) mosquitto_subscribe(client, NULL, "quantrac/v1/+/telemetry", 1);
}

static void subscribed(struct mosquitto *client, void *context, int id, int count, const int *granted) {
    (void)client, (void)context, (void)id, (void)count, (void)granted;
    puts("ready");
    fflush(stdout);
}

static void received(struct mosquitto *client, void *context, const struct mosquitto_message *message) {
    (void)client, (void)context, (void)message;
    *counter += 1;
}

static void stop(int number) {
    (void)number;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
    seconds += (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    dprintf(STDOUT_FILENO, "received %llu cpu %.3f\n", (unsigned long long)*counter, seconds);
    _exit(0);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int file = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ftruncate(file, sizeof(uint64_t)) != 0) return 1;
    counter = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (counter == MAP_FAILED) return 1;
    signal(SIGTERM, stop);
    mosquitto_lib_init();
    session = mosquitto_new("bench-discard", false, NULL);
    mosquitto_int_option(session, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_callback_set(session, connected);
    mosquitto_subscribe_callback_set(session, subscribed);
    mosquitto_message_callback_set(session, received);
    if (mosquitto_connect(session, "127.0.0.1", atoi(argv[1]), 60) != MOSQ_ERR_SUCCESS) return 1;
    return mosquitto_loop_forever(session, 1000, 1) == MOSQ_ERR_SUCCESS ? 0 : 1;
}
