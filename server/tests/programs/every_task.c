// Does every task of `--pipeline exec:`, with the same answer to each frame. An image goes back unchanged.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long number(const char *line, const char *name) {
    const char *found = strstr(line, name);
    return found ? strtol(found + strlen(name), NULL, 10) : 0;
}

int main(void) {
    static char first[4096], line[65536];
    if (!fgets(first, sizeof first, stdin)) return 1;
    while (fgets(line, sizeof line, stdin)) {
        long frame = number(line, "\"frame\":"), bytes = number(line, "\"bytes\":");
        char *pixels = malloc(bytes);
        if (!pixels || fread(pixels, 1, bytes, stdin) != (size_t)bytes) return 1;
        printf("{\"frame\":%ld,", frame);
        if (strstr(first, "\"circle\""))
            puts("\"kind\":\"circle\",\"x\":100,\"y\":80.5,\"radius\":20,\"axes\":[21,19],\"angle\":0.5}");
        else if (strstr(first, "\"count\""))
            puts("\"kind\":\"count\",\"count\":2}");
        else if (strstr(first, "\"ack\""))
            puts("\"kind\":\"ack\",\"code\":-7}");
        else {
            const char *pixel = strstr(line, "\"bgr8\"") ? "bgr8" : "gray8";
            printf("\"kind\":\"image\",\"width\":%ld,\"height\":%ld,\"pixel\":\"%s\",\"bytes\":%ld}\n",
                   number(line, "\"width\":"), number(line, "\"height\":"), pixel, bytes);
            fwrite(pixels, 1, bytes, stdout);
        }
        fflush(stdout);
        free(pixels);
    }
}
