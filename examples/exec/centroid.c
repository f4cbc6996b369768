// Finds the bright disc in each frame, for `client --pipeline exec:./centroid`.
// Build it with: cc -O2 -o centroid centroid.c -lm
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The number that follows a name in a line.
static long number(const char *line, const char *name) {
    const char *found = strstr(line, name);
    return found ? strtol(found + strlen(name), NULL, 10) : 0;
}

int main(void) {
    static char line[65536];
    if (!fgets(line, sizeof line, stdin)) return 1; // The first line: this program does the task "circle".
    while (fgets(line, sizeof line, stdin)) {
        long frame = number(line, "\"frame\":"), width = number(line, "\"width\":"), bytes = number(line, "\"bytes\":");
        long channels = bytes / width / number(line, "\"height\":");
        unsigned char *pixels = malloc(bytes);
        if (!pixels || fread(pixels, 1, bytes, stdin) != (size_t)bytes) return 1;
        long count = 0, sum_x = 0, sum_y = 0;
        // In a colour frame: green, which has the largest weight in gray.
        for (long y = 0, i = channels / 2; i < bytes; y++)
            for (long x = 0; x < width; x++, i += channels)
                if (pixels[i] >= 110) count++, sum_x += x, sum_y += y;
        if (count)
            printf("{\"frame\":%ld,\"kind\":\"circle\",\"x\":%.17g,\"y\":%.17g,\"radius\":%.17g}\n", frame,
                   (double)sum_x / count, (double)sum_y / count, sqrt(count / 3.14159265358979323846));
        else
            printf("{\"frame\":%ld,\"kind\":\"none\"}\n", frame);
        fflush(stdout);
        free(pixels);
    }
}
