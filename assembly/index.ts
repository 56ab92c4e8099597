export { aligned_iou } from "./boxes/aligned_iou";
export { bbox2distance, clip_boxes, distance2bbox, xywh2xyxy } from "./boxes/distance2bbox";
export { box_iou, generalized_box_iou } from "./boxes/box_iou";
export { dfl_decode_channels, dfl_decode_rows } from "./boxes/dfl_decode";
export { dfl_decode_grad } from "./boxes/dfl_decode_grad";
export { dfl_statistics } from "./boxes/dfl_statistics";
export { anchor_points, gather_channels, gather_rows } from "./boxes/gather";
export { nms, nms_scratch } from "./boxes/nms";
export {
  score_filter_channels,
  score_filter_channels_probabilities,
  score_filter_compact,
  score_filter_every,
  score_filter_rows,
  score_filter_rows_probabilities,
} from "./boxes/score_filter";
export { refine_distances, refine_distances_exp } from "./boxes/refine_distances";
export { soft_nms } from "./boxes/soft_nms";
export { sort_scores, top_k } from "./boxes/sort";
export { star_deform_offsets } from "./boxes/star_deform_offsets";
export { star_points } from "./boxes/star_points";
export { convert_f16, convert_i16, convert_i8, convert_u16, convert_u8 } from "./convert";
export { binary_cross_entropy_with_logits } from "./losses/binary_cross_entropy_with_logits";
export { ciou_loss } from "./losses/ciou_loss";
export { diou_loss } from "./losses/diou_loss";
export { distribution_focal_loss } from "./losses/distribution_focal_loss";
export { eiou_loss } from "./losses/eiou_loss";
export { generalized_focal_loss } from "./losses/generalized_focal_loss";
export { giou_loss } from "./losses/giou_loss";
export { iou_loss } from "./losses/iou_loss";
export { quality_focal_loss } from "./losses/quality_focal_loss";
export { sigmoid_focal_loss } from "./losses/sigmoid_focal_loss";
export { siou_loss } from "./losses/siou_loss";
export { varifocal_loss } from "./losses/varifocal_loss";

/** First byte that belongs to the caller. */
export function heap_base(): usize {
  return __heap_base;
}

/** 1 in the build whose products may be fused into sums. */
export function relaxed_simd(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? 1 : 0;
}
