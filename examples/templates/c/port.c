/* A port in C to start from: put your own code into `evaluate`.
       gcc -std=c99 -O2 port.c -o port -lm && adaface-ref port -- ./port */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const HELLO =
    "{\"type\":\"hello\",\"protocol\":1,\"name\":\"my-port\",\"language\":\"C\","
    "\"version\":\"0.1\",\"losses\":{\"cosface\":[\"pure\"]},"
    "\"dtypes\":[\"float64\"],\"quantities\":[\"logit\",\"gst\"]}";

/* CosFace at target cosine c and rival cosine n: FILL IN YOUR OWN. */
static double evaluate(int gst, double c, double n, double scale, double margin) {
    double logit = scale * (c - margin), x = logit - scale * n, small = exp(-fabs(x));
    /* gst = (P - 1) s. Formed as 1 - P = 1/(1 + e^x) it does not cancel as P nears 1. */
    return gst ? -scale * (x > 0 ? small : 1.0) / (1.0 + small) : logit;
}

/* What follows "name": in the line, or NULL. Names are unique, and nothing is escaped. */
static const char *field(const char *line, const char *name) {
    char key[64];
    sprintf(key, "\"%.56s\":", name);
    const char *found = strstr(line, key);
    return found ? found + strlen(key) + (found[strlen(key)] == '"') : NULL;
}

/* Value i of a field of 16 hex digits a value, or its only one. */
static double value(const char *digits, long i) {
    char one[17] = {0};
    if (digits[16] == '"') i = 0;
    memcpy(one, digits + 16 * i, 16);
    uint64_t bits = strtoull(one, NULL, 16);
    double result;
    memcpy(&result, &bits, 8);
    return result;
}

static void answer(const char *line) {
    const char *c = field(line, "target_cosine"), *n = field(line, "rival_cosine");
    const char *s = field(line, "scale"), *m = field(line, "margin");
    const char *asked = field(line, "quantities"), *end = strchr(asked, ']');
    const char *comma = "";
    long count = atol(field(line, "count"));
    if (!n) n = c; /* the logit needs none */
    printf("{\"type\":\"values\",\"id\":%ld,\"values\":{", atol(field(line, "id")));
    for (int gst = 0; gst < 2; gst++) {
        const char *name = gst ? "\"gst\"" : "\"logit\"", *found = strstr(asked, name);
        if (!found || found > end) continue;
        printf("%s%s:\"", comma, name), comma = ",";
        for (long i = 0; i < count; i++) {
            double y = evaluate(gst, value(c, i), value(n, i), value(s, i), value(m, i));
            uint64_t bits;
            memcpy(&bits, &y, 8);
            printf("%016" PRIx64, bits);
        }
        putchar('"');
    }
    puts("}}");
}

int main(void) {
    size_t size = 1 << 16, used = 0;
    char *line = malloc(size);
    while (line && fgets(line + used, (int)(size - used), stdin)) {
        used += strlen(line + used);
        if (line[used - 1] != '\n') { /* longer than the buffer */
            line = realloc(line, size *= 2);
            continue;
        }
        used = 0;
        const char *type = field(line, "type");
        if (type[0] == 'h') puts(HELLO);
        if (type[0] == 'e') answer(line);
        if (type[0] == 'b') break;
        fflush(stdout);
    }
    puts("{\"type\":\"bye\"}");
    free(line);
    return 0;
}
