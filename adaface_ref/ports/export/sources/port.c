/* Speaks the line protocol on standard input and output. The harness writes compact
   JSON without escapes, every key once a message, so that a field is found by its name. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "margin_softmax.h"

enum { MOST_ARGUMENTS = 16 };

typedef struct {
    char *text;
    size_t length, room;
} buffer;

static void reserve(buffer *b, size_t more) {
    if (b->length + more <= b->room) return;
    b->room = 2 * (b->length + more);
    b->text = realloc(b->text, b->room);
    if (!b->text) exit(1);
}

static void put(buffer *b, const char *text) {
    const size_t length = strlen(text);
    reserve(b, length + 1);
    memcpy(b->text + b->length, text, length + 1);
    b->length += length;
}

static int read_line(buffer *line) {
    line->length = 0;
    for (;;) {
        reserve(line, 1 << 16);
        if (!fgets(line->text + line->length, 1 << 16, stdin)) return line->length > 0;
        line->length += strlen(line->text + line->length);
        if (line->text[line->length - 1] == '\n') return 1;
    }
}

/* What follows "name": in the line, past an opening quote; NULL if it is not there. */
static const char *field(const char *line, const char *name) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *found = strstr(line, key);
    if (!found) return NULL;
    found += strlen(key);
    return *found == '"' ? found + 1 : found;
}

static int is(const char *value, const char *text) {
    const size_t length = strlen(text);
    return value && strncmp(value, text, length) == 0 && value[length] == '"';
}

static unsigned char digit_of[256];

static double bits(const char *text, int digits) {
    uint64_t word = 0;
    for (int i = 0; i < digits; i++) word = word << 4 | digit_of[(unsigned char)text[i]];
    if (digits == 16) {
        double value;
        memcpy(&value, &word, sizeof value);
        return value;
    }
    const uint32_t half = (uint32_t)word;
    float value;
    memcpy(&value, &half, sizeof value);
    return value;
}

static void put_bits(buffer *b, double value, int digits) {
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    if (digits == 8) {
        const float rounded = (float)value;
        uint32_t half;
        memcpy(&half, &rounded, sizeof half);
        word = half;
    }
    for (int i = digits - 1; i >= 0; i--) {
        b->text[b->length + (size_t)i] = "0123456789abcdef"[word & 15];
        word >>= 4;
    }
    b->length += (size_t)digits;
}

static void hello(buffer *out) {
    put(out, "{\"type\":\"hello\",\"protocol\":1,\"name\":\"margin-softmax-c\","
             "\"language\":\"C\",\"version\":\"@version@\",\"losses\":{");
    const char *loss = "", *profile = "";
    for (int i = 0; i < margin_softmax_rows; i++) {
        const margin_softmax_row *row = &margin_softmax_table[i];
        const int another = strcmp(loss, row->loss) != 0;
        if (!another && strcmp(profile, row->profile) == 0) continue;
        put(out, another ? (i ? "],\"" : "\"") : ",\"");
        if (another) {
            put(out, row->loss);
            put(out, "\":[\"");
        }
        put(out, row->profile);
        put(out, "\"");
        loss = row->loss;
        profile = row->profile;
    }
    put(out, "]},\"dtypes\":[\"float64\",\"float32\"],\"quantities\":[" MARGIN_SOFTMAX_QUANTITIES "]}\n");
}

typedef struct {
    const char *text;
    int digits, step;
} column;

/* The columns of a row's arguments; 0 if one is not there. */
static int columns_of(const char *line, const margin_softmax_row *row, int digits, column *found) {
    for (int k = 0; k < row->arguments; k++) {
        found[k].digits = k < row->cosines ? digits : 16;
        found[k].text = field(line, row->names[k]);
        if (!found[k].text) return 0;
        found[k].step = found[k].text[found[k].digits] == '"' ? 0 : found[k].digits;
    }
    return 1;
}

static const margin_softmax_row *row_of(const char *line, const char *quantity) {
    const char *loss = field(line, "loss"), *profile = field(line, "profile");
    for (int i = 0; i < margin_softmax_rows; i++) {
        const margin_softmax_row *row = &margin_softmax_table[i];
        if (is(loss, row->loss) && is(profile, row->profile) && is(quantity, row->quantity))
            return row;
    }
    return NULL;
}

static int evaluate(buffer *out, const char *line) {
    const int digits = is(field(line, "dtype"), "float32") ? 8 : 16;
    const long count = strtol(field(line, "count"), NULL, 10);
    const char *quantity = strchr(strstr(line, "\"quantities\":"), '[') + 1;
    for (int first = 1; *quantity == '"'; first = 0) {
        const margin_softmax_row *row = row_of(line, quantity + 1);
        column given[MOST_ARGUMENTS];
        if (!row || !columns_of(line, row, digits, given)) return 0;
        put(out, first ? "\"" : ",\"");
        put(out, row->quantity);
        put(out, "\":\"");
        reserve(out, (size_t)count * (size_t)digits + 8);
        for (long i = 0; i < count; i++) {
            double v[MOST_ARGUMENTS];
            for (int k = 0; k < row->arguments; k++)
                v[k] = bits(given[k].text + i * given[k].step, given[k].digits);
            put_bits(out, row->evaluate(v), digits);
        }
        put(out, "\"");
        quantity = strchr(quantity + 1, '"') + 1;
        if (*quantity == ',') quantity++;
    }
    return 1;
}

int main(void) {
    buffer line = {0}, out = {0};
    for (int i = 0; i < 10; i++) digit_of['0' + i] = (unsigned char)i;
    for (int i = 0; i < 6; i++) digit_of['a' + i] = (unsigned char)(10 + i);
    while (read_line(&line)) {
        const char *type = field(line.text, "type");
        out.length = 0;
        if (is(type, "bye")) {
            puts("{\"type\":\"bye\"}");
            return 0;
        }
        if (is(type, "hello")) hello(&out);
        if (is(type, "evaluate")) {
            char start[96];
            const long id = strtol(field(line.text, "id"), NULL, 10);
            snprintf(start, sizeof start, "{\"type\":\"values\",\"id\":%ld,\"values\":{", id);
            put(&out, start);
            if (evaluate(&out, line.text)) {
                put(&out, "}}\n");
            } else {
                out.length = 0;
                snprintf(start, sizeof start, "{\"type\":\"error\",\"id\":%ld,\"message\":\"not supported\"}\n", id);
                put(&out, start);
            }
        }
        fwrite(out.text, 1, out.length, stdout);
        fflush(stdout);
    }
    return 0;
}
