/** A last layer: a 1×1 convolution, which is a matrix over the features of each cell. */
export class Layer {
  /** `weights` (outputs, inputs) and `bias` (outputs), which it changes but for those of the first `frozen` outputs. */
  constructor({ weights, bias, frozen }) {
    this.values = { weights, bias };
    this.frozen = frozen;
    this.inputs = weights.length / bias.length;
    this.outputs = bias.length;
    this.slopes = { weights: new Float32Array(weights.length), bias: new Float32Array(bias.length) };
    this.speed = { weights: new Float32Array(weights.length), bias: new Float32Array(bias.length) };
  }

  /** Writes the logits (cells, outputs) of features (cells, inputs). */
  forward(features, logits) {
    const { values: { weights, bias }, inputs, outputs } = this;
    for (let row = 0, cell = 0; row < logits.length; row += outputs, cell += inputs) {
      for (let k = 0, at = 0; k < outputs; k++) {
        let sum = bias[k];
        for (let i = 0; i < inputs; i++) sum += weights[at++] * features[cell + i];
        logits[row + k] = sum;
      }
    }
  }

  /** Adds up what gradients (cells, outputs) with respect to the logits are with respect to the weights. */
  backward(features, gradients) {
    const { slopes: { weights, bias }, inputs, outputs, frozen } = this;
    for (let row = 0, cell = 0; row < gradients.length; row += outputs, cell += inputs) {
      for (let k = frozen; k < outputs; k++) {
        const slope = gradients[row + k];
        bias[k] += slope;
        for (let i = 0; i < inputs; i++) weights[k * inputs + i] += slope * features[cell + i];
      }
    }
  }

  /** A step of plain gradient descent with momentum along what was added up. */
  step(rate, momentum) {
    for (const name of ["weights", "bias"]) {
      const [values, slopes, speed] = [this.values[name], this.slopes[name], this.speed[name]];
      for (let i = 0; i < values.length; i++) values[i] += speed[i] = momentum * speed[i] - rate * slopes[i];
      slopes.fill(0);
    }
  }
}
